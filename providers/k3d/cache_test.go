//go:build !windows

package k3d

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rancher/wharfie/pkg/registries"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// runningCache returns a cache that answers for registries.
func runningCache(t *testing.T, registries ...string) *nodes.Cache {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	c := docker.Container{ID: "id-of-cache", Name: "lab-cache-1"}
	c.State.Status = "running"
	host, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c.NetworkSettings.Ports = map[string][]docker.Binding{docker.CachePort + "/tcp": {{HostIP: host, HostPort: port}}}
	dockertest.Script(t, dockertest.Having(t, c)...)
	found := nodes.FindCache(t.Context(), &providers.ImageCache{Container: c.Name, Registries: registries}, providers.Spec{}, nil)
	if found == nil {
		t.Fatal("no cache")
	}
	return found
}

// TestMirrorsOf checks that k3s does not ask the cache for names that it rewrites for another mirror.
func TestMirrorsOf(t *testing.T) {
	t.Parallel()
	cache := nodes.Mirror{Address: "http://lab-cache-1:5000"}
	for name, test := range map[string]struct {
		list []nodes.Mirror
		want registries.Mirror
	}{
		"cache":           {[]nodes.Mirror{cache}, registries.Mirror{Endpoints: []string{"http://lab-cache-1:5000"}}},
		"cache first":     {[]nodes.Mirror{cache, {Address: "registry.corp"}}, registries.Mirror{Endpoints: []string{"http://lab-cache-1:5000", "https://registry.corp"}}},
		"mirror and path": {[]nodes.Mirror{cache, {Address: "registry.corp/x"}}, mirrorOf("registry.corp/x")},
	} {
		if diff := cmp.Diff(test.want, mirrorsOf(test.list)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

// TestCompleteWithCache checks that nodes are created with the cache as a mirror, except of a registry for which
// the user configured k3d.
func TestCompleteWithCache(t *testing.T) {
	opts := Options{Registries: map[string]string{"own": "registry.corp"}, cache: runningCache(t, "docker.io", "quay.io")}
	spec := providers.Spec{Name: "lab", ControlPlanes: 1, Native: native(`registries: {config: "mirrors:\n  quay.io: {endpoint: [own]}\n"}` + "\n")}
	config, err := configFor(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	full, err := complete(t.Context(), config, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]registries.Mirror{
		"docker.io": {Endpoints: []string{"http://lab-cache-1:5000"}}, "quay.io": {Endpoints: []string{"own"}}, "own": {Endpoints: []string{"https://registry.corp"}},
	}
	if diff := cmp.Diff(want, full.ClusterCreateOpts.Registries.Config.Mirrors); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
