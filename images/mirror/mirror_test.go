package mirror_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/clusterlab-dev/lab/images/mirror"
)

// TestHanging checks that a registry that hangs costs an engine little time, before and in the middle of an answer.
func TestHanging(t *testing.T) {
	impatient := bug{options: func(o *mirror.Options) { o.Headers, o.Stall = 50*time.Millisecond, 50*time.Millisecond }}
	t.Run("before", func(t *testing.T) {
		w := newWorld(t, impatient)
		w.registry.misbehave(func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		})
		for _, path := range []string{byTag, w.layer()} {
			a := w.get(path)
			if err := a.isNotFound(); err != nil || !strings.Contains(string(a.body), "does not answer within 50ms") {
				t.Errorf("%s: %v: %s", path, err, a.body)
			}
		}
	})
	t.Run("in the middle", func(t *testing.T) {
		w := newWorld(t, impatient)
		w.registry.misbehave(isBlob(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Length", fmt.Sprint(len(w.registry.layer)))
			_, _ = rw.Write(w.registry.layer[:1000])
			_ = http.NewResponseController(rw).Flush()
			<-r.Context().Done()
		}))
		if a := w.get(w.layer()); a.err == nil && a.status == http.StatusOK {
			t.Errorf("%d bytes without an error", len(a.body))
		}
	})
}

// TestReport checks what the log of a handler contains.
func TestReport(t *testing.T) {
	var events []mirror.Event
	w := newWorld(t, bug{options: func(o *mirror.Options) { o.Report = func(e mirror.Event) { events = append(events, e) } }})
	if err := w.pull(); err != nil {
		t.Fatal(err)
	}
	moved := manifestOf(t)
	w.registry.tag("v1", moved)
	w.now = w.now.Add(11 * time.Minute)
	w.get(byTag)
	w.registry.misbehave(status(503))
	w.now = w.now.Add(11 * time.Minute)
	w.get(byTag)
	w.get("/v2/library/absent/manifests/v1?ns=docker.io")
	if len(events) != 4 {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	first, second, third, last := events[0], events[1], events[2], events[3]
	old, now := digest.FromBytes(w.registry.manifest), digest.FromBytes(moved)
	if first.Image != "docker.io/library/web:v1" || first.Digest != old || first.Moved != "" || first.Err != nil {
		t.Errorf("first: %+v", first)
	}
	if second.Digest != now || second.Moved != old {
		t.Errorf("moved: %+v", second)
	}
	if !third.Stale || third.Digest != now {
		t.Errorf("stale: %+v", third)
	}
	if last.Err == nil || last.Image != "docker.io/library/absent:v1" {
		t.Errorf("absent: %+v", last)
	}
}

func TestStats(t *testing.T) {
	h, w := handlerOf(t)
	if err := w.pull(); err != nil {
		t.Fatal(err)
	}
	want := mirror.Stats{Requests: 2, Asked: 3, Bytes: int64(len(w.registry.manifest) + len(w.registry.layer))}
	if got := h.Stats()["docker.io"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// handlerOf returns the handler of a world.
func handlerOf(t testing.TB) (h *mirror.Handler, w *world) {
	w = newWorld(t, bug{wrap: func(handler http.Handler) http.Handler {
		h = handler.(*mirror.Handler)
		return h
	}})
	return h, w
}

func TestNewRefusesAddresses(t *testing.T) {
	for _, address := range []string{"", "registry.corp", "ftp://registry.corp", "https://user:secret@registry.corp"} {
		_, err := mirror.New(nil, mirror.Options{Registries: map[string]string{"docker.io": address}})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// FuzzPath checks that no path or query reaches anything but a repository of a known registry.
func FuzzPath(f *testing.F) {
	for _, seed := range [][2]string{
		{"/v2/library/web/manifests/v1", "ns=docker.io"},
		{"/v2/docker.io/web/blobs/sha256:" + strings.Repeat("0", 64), ""},
		{"/v2/../manifests/x/manifests/..", "ns=ghcr.io&ns=evil.example"},
		{"/v2//manifests/", "ns="},
	} {
		f.Add(seed[0], seed[1])
	}
	h, w := handlerOf(f)
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawQuery = path, query
		a := httptest.NewRecorder()
		h.ServeHTTP(a, r)
		if a.Code != http.StatusOK && a.Code != http.StatusNotFound {
			t.Errorf("status %d", a.Code)
		}
		for _, r := range w.registry.asked() {
			if !strings.HasPrefix(r.URL.Path, "/v2/") || strings.Contains(r.URL.Path, "..") || r.URL.RawQuery != "" ||
				!strings.Contains(r.URL.Path, "/manifests/") && !strings.Contains(r.URL.Path, "/blobs/") {
				t.Errorf("the registry was asked for %q", r.URL)
			}
		}
	})
}
