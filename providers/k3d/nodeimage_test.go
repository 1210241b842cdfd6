package k3d

import (
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// TestNodeImages checks that all images that a creation needs are named.
func TestNodeImages(t *testing.T) {
	p := New(Options{NodeImage: "rancher/k3s:v1.37.2-k3s1", LoadBalancerImage: "proxy:1"})
	for _, test := range []struct {
		spec providers.Spec
		want []string
	}{
		{providers.Spec{Name: "lab", ControlPlanes: 1}, []string{"rancher/k3s:v1.37.2-k3s1", "proxy:1"}},
		{providers.Spec{Name: "lab", ControlPlanes: 1, KubernetesVersion: "v1.36.0"}, []string{"rancher/k3s:v1.36.0-k3s1", "proxy:1"}},
	} {
		if got, err := p.NodeImages(test.spec); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q, %v; want %q", test.spec, got, err, test.want)
		}
	}
}
