package addontest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
)

// Server is a registry, at oci://HOST/charts/NAME, and an HTTP repository, at
// http://HOST/charts, of the same charts. It is an [http.Handler].
type Server struct {
	mu     sync.Mutex
	charts map[string]map[string]addons.Archive // by name and version
	faults Faults
	count  int // of requests
}

// Faults are what a Server does wrong.
type Faults struct {
	Token      string // the registry wants one, and gives it to everybody, or with Login to that user
	Login      string // "USER:PASSWORD" that the registry and the repository want; of the registry's token where it has one
	Status     []int  // of the next answers, in place of them
	RetryAfter string // sent with Status
	Archives   string // the URL of archives in the repository's index; "" for that of the index
	Damaged    bool   // what is delivered is not what was announced
}

// Put adds a chart, or replaces the one of its name and version.
func (s *Server) Put(name, version string, a addons.Archive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.charts == nil {
		s.charts = map[string]map[string]addons.Archive{}
	}
	if s.charts[name] == nil {
		s.charts[name] = map[string]addons.Archive{}
	}
	s.charts[name][version] = a
}

// SetFaults replaces the faults.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Requests returns how many there were.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if len(s.faults.Status) > 0 {
		w.Header().Set("Retry-After", s.faults.RetryAfter)
		w.WriteHeader(s.faults.Status[0])
		s.faults.Status = s.faults.Status[1:]
		return
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/token":
		s.serveToken(w, r)
	case s.faults.Login != "" && (path[0] == "charts" || s.faults.Token == "") && !s.loggedIn(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
	case len(path) > 2 && path[0] == "v2" && s.faults.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.faults.Token:
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test",scope=%q`, r.Host, scopeOf(path[2])))
		w.WriteHeader(http.StatusUnauthorized)
	case path[0] == "v2" && len(path) == 5 && path[3] == "manifests":
		s.serveManifest(w, path[2], path[4])
	case path[0] == "v2" && len(path) == 5 && path[3] == "blobs":
		s.serveArchive(w, path[4])
	case r.URL.Path == "/charts/index.yaml":
		s.serveIndex(w)
	case path[0] == "charts" && len(path) == 3 && path[1] == "files":
		s.serveArchive(w, path[2])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *Server) loggedIn(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	return user+":"+password == s.faults.Login
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	isOne := func(name string) bool { return q.Get("scope") == scopeOf(name) }
	switch {
	case !slices.ContainsFunc(slices.Collect(maps.Keys(s.charts)), isOne) || q.Get("service") != "test":
		w.WriteHeader(http.StatusForbidden)
		return
	case s.faults.Login != "" && !s.loggedIn(r):
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"token": s.faults.Token})
}

// scopeOf is what a token is for that may pull a chart.
func scopeOf(name string) string { return "repository:charts/" + name + ":pull" }

func (s *Server) serveManifest(w http.ResponseWriter, name, tag string) {
	a, ok := s.charts[name][strings.ReplaceAll(tag, "_", "+")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	layers := []map[string]any{
		{"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": "sha256:0", "size": 1},
		{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": a.Digest, "size": len(a.Data)},
	}
	w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	_ = json.NewEncoder(w).Encode(map[string]any{"schemaVersion": 2, "layers": layers})
}

func (s *Server) serveIndex(w http.ResponseWriter) {
	type entry struct {
		Version string   `json:"version"`
		Digest  string   `json:"digest"`
		URLs    []string `json:"urls"`
	}
	entries := map[string][]entry{}
	for name, versions := range s.charts {
		for version, a := range versions {
			entries[name] = append(entries[name], entry{version, strings.TrimPrefix(a.Digest, "sha256:"), []string{s.faults.Archives + "files/" + a.Digest}})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "entries": entries})
}

// serveArchive finds an archive by its digest.
func (s *Server) serveArchive(w http.ResponseWriter, digest string) {
	for _, versions := range s.charts {
		for _, a := range versions {
			switch {
			case a.Digest != digest:
			case s.faults.Damaged:
				_, _ = w.Write(bytes.Repeat([]byte("x"), len(a.Data)))
				return
			default:
				_, _ = w.Write(a.Data)
				return
			}
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
