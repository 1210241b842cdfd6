package k3d

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rancher/wharfie/pkg/registries"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// TestComplete checks that nothing is published on all addresses by default, and that
// configured images and mirrors are used.
func TestComplete(t *testing.T) {
	t.Parallel()
	opts := Options{NodeImage: standard, LoadBalancerImage: "lb:v1", Registries: map[string]string{"docker.io": "registry.corp/docker", "quay.io": "x"}}
	spec := providers.Spec{Name: "lab", ControlPlanes: 1, Workers: 1, Ports: []providers.Port{{Host: 8080, Container: 80}}, Native: native(`kubeAPI: {hostPort: "6550"}
ports: [{port: "8081:80", nodeFilters: [loadbalancer]}, {port: "0.0.0.0:8082:82", nodeFilters: ["server:0:direct"]}, {port: "83", nodeFilters: ["agent:0:direct"]}]
registries: {create: {name: reg, image: reg:v1, hostPort: "5000"}, config: "mirrors:\n  quay.io: {endpoint: [own]}\n"}
`)}
	config, err := configFor(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	full, err := complete(t.Context(), config, opts)
	if err != nil {
		t.Fatal(err)
	}
	var published []string
	for _, n := range full.Nodes {
		for port, bindings := range n.Ports {
			for _, b := range bindings {
				published = append(published, fmt.Sprintf("%s %s %s:%s", n.Name, port, b.HostIP, b.HostPort))
			}
		}
	}
	slices.Sort(published)
	want := []string{"k3d-lab-agent-0 83/tcp 127.0.0.1:", "k3d-lab-server-0 82/tcp 0.0.0.0:8082", "k3d-lab-serverlb 6443 127.0.0.1:6550",
		"k3d-lab-serverlb 80/tcp 127.0.0.1:8080", "k3d-lab-serverlb 80/tcp 127.0.0.1:8081"}
	if diff := cmp.Diff(want, published); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if ip := full.ClusterCreateOpts.Registries.Create.ExposureOpts.Binding.HostIP; ip != loopback {
		t.Errorf("the registry is published on %s", ip)
	}
	if diff := cmp.Diff(append(nodes.Images(balancerVariable, "lb:v1"), nodes.Images(imageVariable, standard, "reg:v1")...), imagesOf(full)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	mirrors := full.ClusterCreateOpts.Registries.Config.Mirrors
	if got := slices.Sorted(maps.Keys(mirrors)); len(got) != 2 || mirrors["quay.io"].Endpoints[0] != "own" || mirrors["docker.io"].Endpoints[0] != "https://registry.corp" {
		t.Errorf("mirrors: %+v", mirrors)
	}
	if full.Token == "" {
		t.Error("the token is empty")
	}
}

func TestMirrorOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]registries.Mirror{
		"registry.corp":             {Endpoints: []string{"https://registry.corp"}},
		"registry.corp/docker/hub/": {Endpoints: []string{"https://registry.corp"}, Rewrites: map[string]string{"^(.*)$": "docker/hub/$1"}},
		"http://reg:5000":           {Endpoints: []string{"http://reg:5000"}},
		"localhost:5000":            {Endpoints: []string{"http://localhost:5000"}},
		"127.0.0.1:5000/x":          {Endpoints: []string{"http://127.0.0.1:5000"}, Rewrites: map[string]string{"^(.*)$": "x/$1"}},
		"https://localhost":         {Endpoints: []string{"https://localhost"}},
	} {
		if diff := cmp.Diff(want, mirrorOf(address)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}
