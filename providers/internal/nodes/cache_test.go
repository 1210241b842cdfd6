//go:build !windows

package nodes

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

const cacheName = "lab-cache-1"

// cacheServer returns the address of a server that answers as the cache does, with a status.
func cacheServer(t *testing.T, status int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// cacheContainer returns the container of a cache that is published at an address.
func cacheContainer(address string) docker.Container {
	c := docker.Container{ID: "id-of-cache", Name: cacheName}
	c.State.Status = "running"
	c.Config.Labels = map[string]string{docker.CacheLabel: "1"}
	host, port, _ := net.SplitHostPort(address)
	c.NetworkSettings.Ports = map[string][]docker.Binding{docker.CachePort + "/tcp": {{HostIP: host, HostPort: port}}}
	return c
}

func startedCache() *providers.ImageCache {
	return &providers.ImageCache{Container: cacheName, Registries: []string{"docker.io", "quay.io"}}
}

// warnings returns a reporter, and the warnings that it got.
func warnings() (event.Reporter, *[]string) {
	var all []string
	return func(e event.Event) {
		if e.State == event.Warning {
			all = append(all, e.Message)
		}
	}, &all
}

// TestFindCache checks that a cache that does not work is reported and not used, in about a second.
func TestFindCache(t *testing.T) {
	hung, err := net.Listen("tcp", "127.0.0.1:0") // it accepts connections, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	stopped := cacheContainer("127.0.0.1:1")
	stopped.State.Status = "exited"
	other := cacheContainer(cacheServer(t, 200))
	other.Name = "lab-cache-2"
	for name, test := range map[string]struct {
		answers []dockertest.Answer
		says    string // "": it is used
	}{
		"runs":          {dockertest.Having(t, cacheContainer(cacheServer(t, 200))), ""},
		"removed":       {dockertest.Having(t, other), "no container " + cacheName},
		"stopped":       {dockertest.Having(t, stopped), "is exited"},
		"refuses":       {dockertest.Having(t, cacheContainer("127.0.0.1:1")), "does not answer"},
		"hangs":         {dockertest.Having(t, cacheContainer(hung.Addr().String())), "does not answer"},
		"not the cache": {dockertest.Having(t, cacheContainer(cacheServer(t, 500))), "answers 500"},
		"no engine":     {[]dockertest.Answer{{Args: "ps", Stderr: "Cannot connect to the Docker daemon", Code: 1}}, "Cannot connect"},
	} {
		dockertest.Script(t, test.answers...)
		report, warned := warnings()
		begin := time.Now()
		c := FindCache(t.Context(), startedCache(), providers.Spec{}, report)
		if got := strings.Join(*warned, "\n"); (c != nil) != (test.says == "") || !strings.Contains(got, test.says) || (got == "") != (test.says == "") {
			t.Errorf("%s: %+v, warned of %q, want %q", name, c, got, test.says)
		}
		if took := time.Since(begin); took > 10*cacheWithin {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

// TestNoCache checks that docker is not called if no cache was started, or if it is not wanted.
func TestNoCache(t *testing.T) {
	d := dockertest.Script(t)
	report, warned := warnings()
	if c := FindCache(t.Context(), nil, providers.Spec{}, report); c != nil {
		t.Errorf("never started: %+v", c)
	}
	if c := FindCache(t.Context(), startedCache(), providers.Spec{NoCache: true}, report); c != nil {
		t.Errorf("not wanted: %+v", c)
	}
	(*Cache)(nil).Connect(t.Context(), "kind", report)
	if strings.Join(d.Calls(t), "") != "" || len(*warned) > 0 {
		t.Errorf("calls: %q; warnings: %q", d.Calls(t), *warned)
	}
}

func TestMirrors(t *testing.T) {
	t.Parallel()
	c := &Cache{cacheName, "127.0.0.1:5051", []string{"docker.io", "quay.io"}}
	through := Mirror{"http://" + cacheName + ":5000", cacheWithin}
	for name, test := range map[string]struct {
		cache      *Cache
		configured map[string]string
		want       map[string][]Mirror
	}{
		"none":       {nil, nil, map[string][]Mirror{}},
		"configured": {nil, map[string]string{"own": "a/b"}, map[string][]Mirror{"own": {{Address: "a/b"}}}},
		"both": {c, map[string]string{"quay.io": "a/b", "own": "c"},
			map[string][]Mirror{"docker.io": {through}, "quay.io": {through, {Address: "a/b"}}, "own": {{Address: "c"}}}},
		"the cache itself": {c, map[string]string{"docker.io": "http://" + cacheName + ":5000/docker.io", "quay.io": "http://127.0.0.1:5051"},
			map[string][]Mirror{"docker.io": {through}, "quay.io": {through}}},
	} {
		if diff := cmp.Diff(test.want, test.cache.Mirrors(test.configured)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

func TestConnect(t *testing.T) {
	c := &Cache{container: cacheName}
	ranges := dockertest.Answer{Args: "network inspect", Stdout: `[{"Subnet":"fc00::/64"},{"Subnet":"192.168.49.0/24"}]`}
	const last, first = "network connect --ip=192.168.49.254 net lab-cache-1", "network connect net lab-cache-1"
	refused := dockertest.Answer{Args: "network connect --ip", Stderr: "user specified IP address is supported only when connecting to networks with user configured subnets", Code: 1}
	for name, test := range map[string]struct {
		network string
		answers []dockertest.Answer
		calls   []string
		warns   bool
	}{
		"last address":      {"net", []dockertest.Answer{ranges, {Args: "network connect"}}, []string{last}, false},
		"not configured":    {"net", []dockertest.Answer{ranges, refused, {Args: "network connect"}}, []string{last, first}, false},
		"connected already": {"net", []dockertest.Answer{ranges, {Args: "network connect", Stderr: "endpoint with name x already exists in network net", Code: 1}}, []string{last}, false},
		"removed":           {"net", []dockertest.Answer{{Args: "network", Stderr: "network net not found", Code: 1}}, []string{first}, true},
		"of every engine":   {"bridge", nil, nil, false},
		"of the host":       {"host", nil, nil, false},
		"of a container":    {"container:x", nil, nil, false},
	} {
		d := dockertest.Script(t, test.answers...)
		report, warned := warnings()
		c.Connect(t.Context(), test.network, report)
		calls := slices.DeleteFunc(d.Calls(t), func(call string) bool { return !strings.HasPrefix(call, "network connect") })
		if !slices.Equal(calls, test.calls) || (len(*warned) > 0) != test.warns {
			t.Errorf("%s: warnings %q; calls %q, want %q", name, *warned, calls, test.calls)
		}
	}
}

// TestSetMirrors checks that a failure to configure nodes fails the creation only if the user configured
// mirrors.
func TestSetMirrors(t *testing.T) {
	c := &Cache{cacheName, "127.0.0.1:5051", []string{"docker.io"}}
	found := []docker.Container{node("control-plane", "running")}
	for name, test := range map[string]struct {
		cache      *Cache
		configured map[string]string
		answer     dockertest.Answer
		calls      int // of docker cp
		fails      bool
		warnings   int
	}{
		"nothing":          {nil, nil, dockertest.Answer{}, 0, false, 0},
		"cache":            {c, nil, dockertest.Answer{Args: "cp"}, 1, false, 0},
		"cache fails":      {c, nil, dockertest.Answer{Args: "cp", Stderr: "no space left on device", Code: 1}, 1, false, 1},
		"configured fails": {nil, map[string]string{"own": "a"}, dockertest.Answer{Args: "cp", Stderr: "no space left on device", Code: 1}, 1, true, 0},
	} {
		d := dockertest.Script(t, test.answer, dockertest.Answer{Args: "network"})
		report, warned := warnings()
		err := test.cache.SetMirrors(t.Context(), "net", found, test.configured, report)
		calls := slices.DeleteFunc(d.Calls(t), func(call string) bool { return !strings.HasPrefix(call, "cp - id-of-control-plane:/") })
		if len(calls) != test.calls || (err != nil) != test.fails || len(*warned) != test.warnings {
			t.Errorf("%s: calls %q, %v, warnings %q", name, d.Calls(t), err, *warned)
		}
	}
}

// TestPullThroughCache checks that an image that was pulled from the cache has its own name only, and
// that the registry is asked if the cache fails.
func TestPullThroughCache(t *testing.T) {
	c := &Cache{cacheName, cacheServer(t, 200), []string{"docker.io"}}
	at := c.address + "/docker.io/"
	failed := dockertest.Answer{Args: "pull " + c.address, Stderr: "manifest unknown", Code: 1}
	for image, test := range map[string]struct {
		answers []dockertest.Answer
		calls   []string
	}{
		"kindest/node:v1": {nil, []string{"pull " + at + "kindest/node:v1", "tag " + at + "kindest/node:v1 kindest/node:v1", "image rm " + at + "kindest/node:v1"}},
		"kindest/node:v2@sha256:1": {nil, // the engine must learn the digest
			[]string{"pull " + at + "kindest/node@sha256:1", "pull kindest/node:v2@sha256:1", "image rm " + at + "kindest/node@sha256:1"}},
		"docker.io/rancher/k3s:v3": {[]dockertest.Answer{failed}, []string{"pull " + at + "rancher/k3s:v3", "pull docker.io/rancher/k3s:v3"}},
		"ghcr.io/k3d-io/tools:v4":  {nil, []string{"pull ghcr.io/k3d-io/tools:v4"}},
		"localhost:5000/node:v5":   {nil, []string{"pull localhost:5000/node:v5"}},
	} {
		d := dockertest.Script(t, append(test.answers, dockertest.Answer{Args: ""})...)
		if err := c.pull(t.Context(), image, func(string) {}); err != nil {
			t.Errorf("%s: %v", image, err)
		}
		if diff := cmp.Diff(test.calls, d.Calls(t)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", image, diff)
		}
	}
}

// TestPullWithHungCache checks that a pull from a cache that stops answering ends, and that a cache is
// asked by the short name of an image, too.
func TestPullWithHungCache(t *testing.T) {
	hung, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	c := &Cache{cacheName, hung.Addr().String(), []string{"docker.io"}}
	through := c.address + "/docker.io/library/busybox"
	d := dockertest.Script(t, dockertest.Answer{Args: "pull " + c.address, Hangs: true}, dockertest.Answer{Args: "pull"})
	if err := c.pull(t.Context(), "busybox", func(string) {}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"pull " + through, "pull busybox"}, d.Calls(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.pull(ctx, "docker.io/busybox", func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestStartWithoutCache checks that the cache does not keep the address of a stopped node: it is
// disconnected before nodes start, and connected afterwards.
func TestStartWithoutCache(t *testing.T) {
	address := cacheServer(t, 200)
	for name, test := range map[string]struct {
		cache         *providers.ImageCache
		before, after []string
	}{
		"started": {startedCache(), []string{"network disconnect --force net lab-cache-1"}, []string{"network connect net lab-cache-1"}},
		"none":    {nil, nil, nil},
	} {
		d := dockertest.Script(t, append(dockertest.Having(t, cacheContainer(address)), dockertest.Answer{Args: ""})...)
		changes := func() []string {
			return slices.DeleteFunc(d.Calls(t), func(c string) bool {
				return !strings.HasPrefix(c, "network connect") && !strings.HasPrefix(c, "network disconnect")
			})
		}
		tool := tool()
		tool.Cache = test.cache
		tool.Network = func(docker.Container) (string, bool) { return "net", true }
		connect := tool.withoutCache(t.Context(), []docker.Container{node("control-plane", "exited")}, nil)
		before := changes()
		connect()
		after := changes()[len(before):]
		if !slices.Equal(before, test.before) || !slices.Equal(after, test.after) {
			t.Errorf("%s: before the start %q, after it %q", name, before, after)
		}
	}
}
