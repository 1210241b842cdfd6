//go:build !windows

package k3d

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
)

// TestServersRememberTheBalancer checks that the labels of the servers contain the data of the
// load balancer.
func TestServersRememberTheBalancer(t *testing.T) {
	t.Parallel()
	spec := providers.Spec{Name: "lab", ControlPlanes: 1, Workers: 1, Mark: "a-mark", Ports: []providers.Port{{Host: 8080, Container: 80}}}
	config, err := configFor(spec, New(Options{}).opts)
	if err != nil {
		t.Fatal(err)
	}
	config.ExposeAPI.HostPort = "6550"
	full, err := complete(t.Context(), config, Options{LoadBalancerImage: "an-image"})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range full.Nodes {
		text := n.RuntimeLabels[labelBalancer]
		if has := text != ""; has != (n.Role == k3d.ServerRole) {
			t.Errorf("%s: %q", n.Name, text)
		}
		if text == "" {
			continue
		}
		var got balancer
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		lb := full.ServerLoadBalancer
		want := balancer{Image: "an-image", Ports: lb.Node.Ports, Labels: map[string]string{labelMark: "a-mark"}, Config: *lb.Config}
		if diff := cmp.Diff(want, got); diff != "" || len(got.Ports) != 2 || len(got.Config.Ports["80.tcp"]) != 2 {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
