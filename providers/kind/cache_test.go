//go:build !windows

package kind

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestCache checks that nodes use the cache, which is connected to their network, unless the configuration of kind
// excludes a directory of mirrors: containerd would not start.
func TestCache(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	c := docker.Container{ID: "id-of-cache", Name: "z-cache"}
	c.State.Status = "running"
	host, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c.NetworkSettings.Ports = map[string][]docker.Binding{docker.CachePort + "/tcp": {{HostIP: host, HostPort: port}}}
	n := node("control-plane", "running")
	n.HostConfig.NetworkMode = "kind"
	p := New(Options{Dir: t.TempDir(), Cache: &providers.ImageCache{Container: c.Name, Registries: []string{"docker.io"}}})
	for patch, uses := range map[string]bool{
		"[plugins.x]\nsandbox = 'a'": true, `[plugins."io.containerd.grpc.v1.cri".registry.mirrors."localhost:5000"]`: false,
	} {
		d := dockertest.Script(t, append(dockertest.Having(t, c, n), dockertest.Answer{Args: ""})...)
		var warned []string
		report := func(e event.Event) { warned = append(warned, e.Message) }
		config := &v1alpha4.Cluster{ContainerdConfigPatches: []string{patch}}
		cache := p.cacheFor(t.Context(), providers.Spec{Name: "lab"}, config, report)
		if err := p.finish(t.Context(), "lab", cache, report); err != nil {
			t.Error(err)
		}
		calls := d.Calls(t)
		connected := slices.Contains(calls, "network connect kind z-cache")
		written := slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "cp - id-of-control-plane:/") })
		if connected != uses || written != uses || (len(warned) == 0) != uses {
			t.Errorf("with %s: connected %t, written %t, warnings %q; calls: %q", patch, connected, written, warned, calls)
		}
	}
}
