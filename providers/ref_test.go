package providers_test

import (
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

func TestRefIs(t *testing.T) {
	t.Parallel()
	const own, other = "11111111-aaaa", "22222222-bbbb"
	for name, test := range map[string]struct {
		ref  providers.Ref
		c    providers.Cluster
		want bool
	}{
		"its ID":                  {providers.Ref{ID: "1", Mark: own}, providers.Cluster{ID: "1"}, true},
		"another ID":              {providers.Ref{ID: "1", Mark: own}, providers.Cluster{ID: "2", Mark: own, Bare: true}, false},
		"its mark, ID not known":  {providers.Ref{Mark: own}, providers.Cluster{ID: "1", Mark: own}, true},
		"another mark":            {providers.Ref{Mark: own}, providers.Cluster{Mark: other}, false},
		"no mark":                 {providers.Ref{Mark: own}, providers.Cluster{ID: "1"}, false},
		"nothing to bear a mark":  {providers.Ref{Mark: own}, providers.Cluster{Bare: true}, true},
		"nothing else to go by":   {providers.Ref{}, providers.Cluster{ID: "1", Mark: other}, true},
		"its ID, while it has no": {providers.Ref{ID: "1"}, providers.Cluster{}, false},
	} {
		if got := test.ref.Is(test.c); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestGone: what a tool does not list although it lists its clusters' parts is gone.
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
