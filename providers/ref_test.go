package providers_test

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestOwner checks that the mark decides if both sides have one, else the ID, and that the
// owner is unknown otherwise.
func TestOwner(t *testing.T) {
	t.Parallel()
	const own, other = "11111111-aaaa", "22222222-bbbb"
	both := providers.Ref{Name: "lab", ID: "1", Mark: own}
	marked := providers.Ref{Name: "lab", Mark: own} // its creation never got so far as to an ID
	old := providers.Ref{Name: "lab", ID: "1"}      // of a lab that set no marks
	for name, test := range map[string]struct {
		ref  providers.Ref
		c    providers.Cluster
		want providers.Owner
	}{
		"all as it was":                        {both, providers.Cluster{ID: "1", Mark: own}, providers.OwnerLab},
		"its mark, ID lost":                    {both, providers.Cluster{Mark: own}, providers.OwnerLab},
		"its mark, another ID":                 {both, providers.Cluster{ID: "2", Mark: own}, providers.OwnerLab},
		"its ID, another mark":                 {both, providers.Cluster{ID: "1", Mark: other}, providers.OwnerForeign},
		"its ID, no mark":                      {both, providers.Cluster{ID: "1"}, providers.OwnerLab},
		"its ID, mark unreadable":              {both, providers.Cluster{ID: "1", Unread: true}, providers.OwnerLab},
		"another ID, no mark":                  {both, providers.Cluster{ID: "2"}, providers.OwnerForeign},
		"another ID, mark unreadable":          {both, providers.Cluster{ID: "2", Unread: true}, providers.OwnerUnknown},
		"neither can be read":                  {both, providers.Cluster{Unread: true}, providers.OwnerUnknown},
		"no mark, ID lost":                     {both, providers.Cluster{}, providers.OwnerForeign},
		"a network that is left":               {both, providers.Cluster{Bare: true}, providers.OwnerLab},
		"incomplete":                           {marked, providers.Cluster{Mark: own}, providers.OwnerLab},
		"incomplete, mark unreadable":          {marked, providers.Cluster{ID: "1", Unread: true}, providers.OwnerUnknown},
		"incomplete, nothing can bear a mark":  {marked, providers.Cluster{Bare: true}, providers.OwnerLab},
		"incomplete, of another program":       {marked, providers.Cluster{Mark: other}, providers.OwnerForeign},
		"created by another program meanwhile": {marked, providers.Cluster{ID: "1"}, providers.OwnerForeign},
		"old, its ID":                          {old, providers.Cluster{ID: "1", Mark: other}, providers.OwnerLab},
		"old, ID lost":                         {old, providers.Cluster{}, providers.OwnerUnknown},
		"old, another ID":                      {old, providers.Cluster{ID: "2"}, providers.OwnerForeign},
		"named by its name alone":              {providers.Ref{Name: "lab"}, providers.Cluster{ID: "1", Unread: true}, providers.OwnerLab},
	} {
		if got := test.ref.Owner(test.c); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
		kind := map[providers.Owner]error{providers.OwnerForeign: fault.ErrForeign, providers.OwnerUnknown: fault.ErrUnavailable}[test.want]
		if err := test.ref.Check(test.c); !errors.Is(err, kind) || err != nil && fault.HintOf(err) == "" {
			t.Errorf("%s: Check returns %v", name, err)
		}
	}
}

// TestGone checks that a recorded part is gone if the tool lists parts and not that one.
func TestGone(t *testing.T) {
	t.Parallel()
	node, network := providers.Part{Kind: "node", Name: "lab"}, providers.Part{Kind: "network", Name: "lab"}
	repaired := node
	repaired.Repair = true
	for what, tt := range map[string]struct{ recorded, live, want []providers.Part }{
		"all is there":         {[]providers.Part{node, network}, []providers.Part{network, repaired}, nil},
		"more than before":     {[]providers.Part{node}, []providers.Part{node, network}, nil},
		"one of two of a name": {[]providers.Part{node, network}, []providers.Part{node}, []providers.Part{network}},
		"nothing is left":      {[]providers.Part{node}, []providers.Part{}, []providers.Part{node}},
		"the tool cannot tell": {[]providers.Part{node}, nil, nil},
		"nothing was recorded": {nil, []providers.Part{node}, nil},
	} {
		got := providers.Gone(tt.recorded, tt.live)
		if len(got) != len(tt.want) || len(got) > 0 && got[0] != tt.want[0] {
			t.Errorf("%s: gone %v, want %v", what, got, tt.want)
		}
	}
}
