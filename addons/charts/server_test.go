package charts_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// server is a registry and a repository of one chart, shop 1.0.0.
type server struct {
	mu      sync.Mutex
	archive []byte
	token   string // wanted by the registry, if not ""
	broken  []int  // status codes of the next answers, in place of them
	after   string // Retry-After of these
	wrong   bool   // what is delivered is not what was announced
	asked   int
}

func (s *server) change(f func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *server) start(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if len(s.broken) > 0 {
		w.Header().Set("Retry-After", s.after)
		w.WriteHeader(s.broken[0])
		s.broken = s.broken[1:]
		return
	}
	registry := strings.HasPrefix(r.URL.Path, "/v2/")
	if registry && s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test",scope="repository:charts/shop:pull"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.answer(w, r)
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256(s.archive)
	digest := hex.EncodeToString(sum[:])
	delivered := s.archive
	if s.wrong {
		delivered = []byte("something else")
	}
	switch r.URL.Path {
	case "/token":
		if r.URL.Query().Get("scope") != "repository:charts/shop:pull" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"token": s.token})
	case "/v2/charts/shop/manifests/1.0.0_build":
		layers := []map[string]string{
			{"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": "sha256:0"},
			{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": "sha256:" + digest},
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"layers": layers})
	case "/v2/charts/shop/blobs/sha256:" + digest, "/charts/files/shop.tgz":
		_, _ = w.Write(delivered)
	case "/charts/index.yaml":
		_, _ = fmt.Fprintf(w, "entries:\n  shop:\n    - {version: 0.9.0, urls: [old.tgz]}\n    - {version: 1.0.0+build, digest: %s, urls: [files/shop.tgz]}\n", digest)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
