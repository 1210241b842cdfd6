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
