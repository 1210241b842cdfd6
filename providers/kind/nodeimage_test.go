package kind

import (
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// TestNodeImages checks that all images that a creation needs are named, each once.
func TestNodeImages(t *testing.T) {
	p := New(Options{NodeImage: "kindest/node:v1.37.2"})
	for _, test := range []struct {
		spec providers.Spec
		want []string
	}{
		{providers.Spec{Name: "lab", ControlPlanes: 1, Workers: 2}, []string{"kindest/node:v1.37.2"}},
		{providers.Spec{Name: "lab", ControlPlanes: 1, KubernetesVersion: "v1.36.0"}, []string{"kindest/node:v1.36.0"}},
		{providers.Spec{Name: "lab", ControlPlanes: 3}, []string{"kindest/node:v1.37.2", balancerImage}},
	} {
		if got, err := p.NodeImages(test.spec); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q, %v; want %q", test.spec, got, err, test.want)
		}
	}
}
