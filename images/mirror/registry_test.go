package mirror_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// registry is a registry that can be told to misbehave. Its repository is library/web with the tag v1.
type registry struct {
	*httptest.Server
	layer, manifest []byte

	mu       sync.Mutex
	tags     map[string][]byte
	requests []*http.Request
	// instead answers instead of the registry if it returns true.
	instead func(w http.ResponseWriter, r *http.Request) bool
}

func newRegistry(t testing.TB) *registry {
	g := &registry{layer: []byte(strings.Repeat("0123456789abcdef", 1<<16))}
	g.manifest = manifestOf(t, g.layer)
	g.tags = map[string][]byte{"v1": g.manifest}
	g.Server = httptest.NewTLSServer(g)
	t.Cleanup(g.Close)
	return g
}

func manifestOf(t testing.TB, layers ...[]byte) []byte {
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest}
	m.SchemaVersion = 2
	for _, l := range layers {
		m.Layers = append(m.Layers, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromBytes(l), Size: int64(len(l))})
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (g *registry) misbehave(f func(w http.ResponseWriter, r *http.Request) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.instead = f
}

func (g *registry) tag(name string, manifest []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tags[name] = manifest
}

// asked returns the requests since the last call.
func (g *registry) asked() []*http.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	requests := g.requests
	g.requests = nil
	return requests
}

func (g *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.requests = append(g.requests, r)
	instead, tags := g.instead, maps.Clone(g.tags)
	g.mu.Unlock()
	if instead != nil && instead(w, r) {
		return
	}
	ref := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	for name, m := range tags {
		if r.URL.Path == "/v2/library/web/manifests/"+ref && (ref == name || ref == digest.FromBytes(m).String()) {
			w.Header().Set("Docker-Content-Digest", digest.FromBytes(m).String())
			send(w, ocispec.MediaTypeImageManifest, m)
			return
		}
	}
	if r.URL.Path == "/v2/library/web/blobs/"+digest.FromBytes(g.layer).String() {
		send(w, "application/octet-stream", g.layer)
		return
	}
	http.NotFound(w, r)
}

func send(w http.ResponseWriter, mediaType string, data []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

// status answers with a status and what a client could act on.
func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "1")
		if code == http.StatusUnauthorized {
			w.Header().Set("Www-Authenticate", `Basic realm="private"`)
		}
		w.WriteHeader(code)
		return true
	}
}

// isBlob limits a misbehaviour to layers.
func isBlob(f func(w http.ResponseWriter, r *http.Request)) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			f(w, r)
			return true
		}
		return false
	}
}

// tokens requires the token that everybody gets.
func tokens(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.URL.Path == "/token":
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		_, _ = fmt.Fprint(w, `{"token":"anonymous"}`)
		return true
	case r.Header.Get("Authorization") != "Bearer anonymous":
		w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="https://%s/token",service="registry"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	return false
}
