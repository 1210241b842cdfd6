package cache_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/images/cache"
	"github.com/clusterlab-dev/lab/images/mirror"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// process is a container that is a goroutine of the test.
type process struct {
	t        *testing.T
	server   cache.Server
	instance *cache.Instance
	err      error
	stop     func()
}

func (p *process) Find(context.Context, string) (*cache.Instance, error) { return p.instance, p.err }

func (p *process) Run(_ context.Context, s cache.Server, _ event.Reporter) (*cache.Instance, error) {
	if p.err != nil || p.instance != nil {
		return p.instance, p.err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	p.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("serve: %v", err)
		}
	}
	p.server, p.instance = s, &cache.Instance{Name: "test", Address: l.Addr().String()}
	return p.instance, nil
}

func (p *process) Remove(context.Context, string) error {
	if p.instance != nil {
		p.stop()
	}
	p.instance = nil
	return p.err
}

func newCache(t *testing.T) (*cache.Cache, *process) {
	p := &process{t: t}
	dir := t.TempDir()
	c := &cache.Cache{Dir: filepath.Join(dir, "images"), Mark: filepath.Join(dir, "state", "cache"), Registries: cache.Registries(nil, "self"), Container: p}
	t.Cleanup(func() { _ = p.Remove(context.Background(), "") })
	return c, p
}

// TestLifecycle starts a cache, gets an image from it, and stops it.
func TestLifecycle(t *testing.T) {
	c, p := newCache(t)
	if s, err := c.Status(t.Context()); err != nil || s.State != cache.Stopped || s.Content.Blobs != 0 || c.Started() {
		t.Fatalf("before: %+v, %v", s, err)
	}
	started, err := c.Start(t.Context(), 1000, nil)
	if err != nil || started.State != cache.Running || !c.Started() {
		t.Fatalf("start: %+v, %v", started, err)
	}
	if again, err := c.Start(t.Context(), 1000, nil); err != nil || again.Address != started.Address {
		t.Errorf("start again: %+v, %v", again, err)
	}
	const image = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}`
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(image), Size: int64(len(image))}
	s := store.Open(c.Dir, store.Options{Free: func(string) (int64, error) { return 1 << 62, nil }})
	err = errors.Join(s.Push(t.Context(), d, strings.NewReader(image)), s.Tag(t.Context(), d, "docker.io/library/web:v1"),
		s.SetPublic("docker.io/library/web", d.Digest))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + started.Address + "/v2/library/web/manifests/v1?ns=docker.io")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	_ = answer.Body.Close()
	status, err := c.Status(t.Context())
	want := cache.Content{Service: "lab-cache", Blobs: 1, Bytes: d.Size, Images: []string{"docker.io/library/web:v1"}, Registries: map[string]mirror.Stats{"docker.io": {Requests: 1}}}
	if diff := cmp.Diff(want, status.Content); err != nil || diff != "" {
		t.Errorf("status: %v, %s", err, diff)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Status(t.Context()); err != nil || s.State != cache.Stopped || s.Content.Bytes != d.Size || c.Started() {
		t.Errorf("after: %+v, %v", s, err)
	}
	if removed, err := c.Prune(t.Context(), 0); removed != d.Size || err != nil {
		t.Errorf("pruned %d, %v", removed, err)
	}
	if p.server.Limit != 1000 || p.server.Dir != c.Dir {
		t.Errorf("server: %+v", p.server)
	}
}

// TestStatusOfAnother checks that another program on the address is not taken for the cache.
func TestStatusOfAnother(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer other.Close()
	c, p := newCache(t)
	p.instance, p.stop = &cache.Instance{Address: strings.TrimPrefix(other.URL, "http://")}, func() {}
	s, err := c.Status(t.Context())
	if err != nil || s.State != cache.Failed || !strings.Contains(s.Problem.Error(), "another program") {
		t.Errorf("%+v, %v", s, err)
	}
	p.instance = &cache.Instance{}
	if s, err := c.Status(t.Context()); err != nil || s.State != cache.Failed {
		t.Errorf("not running: %+v, %v", s, err)
	}
}

// TestNoEngine checks that the status needs no engine, and that a start says why it failed.
func TestNoEngine(t *testing.T) {
	c, p := newCache(t)
	p.err = fault.Errorf(fault.ErrUnavailable, "no engine")
	s, err := c.Status(t.Context())
	if err != nil || s.State != cache.Stopped || !errors.Is(s.Problem, fault.ErrUnavailable) {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := c.Start(t.Context(), 0, nil); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("start: %v", err)
	}
	p.err = nil
}

func TestRegistries(t *testing.T) {
	all := cache.Registries(map[string]string{"docker.io": "registry.corp/docker", "own": "http://own:5000"}, "self")
	if all["docker.io"] != "https://registry.corp/docker" || all["own"] != "http://own:5000" || all["quay.io"] != "https://quay.io" {
		t.Errorf("%v", all)
	}
	// A cache that is its own mirror would ask itself forever.
	all = cache.Registries(map[string]string{"docker.io": "http://self:5000/docker.io", "own": "self/own"}, "self")
	if all["docker.io"] != "https://registry-1.docker.io" || all["own"] != "https://own" {
		t.Errorf("of itself: %v", all)
	}
	c, _ := newCache(t)
	c.Registries = map[string]string{"own": "https://user:secret@own"}
	_, err := c.Start(t.Context(), 0, nil)
	if !errors.Is(err, fault.ErrInvalid) || strings.Contains(err.Error(), "secret") {
		t.Errorf("credentials: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	for want, e := range map[string]mirror.Event{
		"a:v1: sha256:1":                        {Image: "a:v1", Digest: "sha256:1"},
		"a:v1: moved from sha256:1 to sha256:2": {Image: "a:v1", Digest: "sha256:2", Moved: "sha256:1"},
		"a:v1: not found: gone":                 {Image: "a:v1", Err: errors.New("gone")},
		"a:v1: sha256:1; the registry does not answer, so the tag may have moved": {Image: "a:v1", Digest: "sha256:1", Stale: true},
	} {
		cache.Describe(func(line string) {
			if line != want {
				t.Errorf("got %q, want %q", line, want)
			}
		})(e)
	}
}
