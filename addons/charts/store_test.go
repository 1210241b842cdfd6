package charts_test

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// sources are the two ways to a chart over the network.
func sources(url string) map[string]addons.Chart {
	return map[string]addons.Chart{
		"registry":   {OCI: "oci://" + strings.TrimPrefix(url, "http://") + "/charts/shop", Version: version},
		"repository": {Repository: url + "/charts", Name: "shop", Version: version},
	}
}

// options are those of a store that reads no credentials of this machine.
func options(dir string, offline bool) charts.Options {
	none := filepath.Join(dir, "none")
	return charts.Options{
		Dir: dir, Offline: offline, Pause: 10 * time.Millisecond,
		DockerConfig: none, RegistryConfig: none, RepositoryConfig: none,
	}
}

func store(dir string, offline bool) *charts.Store {
	return charts.New(options(dir, offline))
}

// each runs a test for both kinds of source, each with a new server and cache.
func each(t *testing.T, test func(t *testing.T, s *addontest.Server, c addons.Chart, dir string)) {
	t.Helper()
	for _, kind := range []string{"registry", "repository"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s, url := serve(t)
			test(t, s, sources(url)[kind], t.TempDir())
		})
	}
}

// version is one that a tag cannot have as it is.
const version = "1.0.0+build"

func serve(t *testing.T) (s *addontest.Server, url string) {
	t.Helper()
	s = &addontest.Server{}
	s.Put("shop", version, archive("a chart"))
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

// archive is a chart with a text in it.
func archive(text string) addons.Archive {
	return addontest.Chart("shop", "1.0.0", map[string]string{"text": text})
}

func want(t *testing.T, s *charts.Store, c addons.Chart, text string) addons.Archive {
	t.Helper()
	got, err := s.Chart(t.Context(), c)
	if err != nil || !bytes.Equal(got.Data, archive(text).Data) {
		t.Fatalf("%q, %v; want the chart with %q", got.Data, err, text)
	}
	return got
}

func refuses(t *testing.T, s *charts.Store, c addons.Chart, kind error, words ...string) {
	t.Helper()
	_, err := s.Chart(t.Context(), c)
	if !errors.Is(err, kind) {
		t.Fatalf("%v, want %v", err, kind)
	}
	for _, word := range words {
		if text := err.Error() + " " + fault.HintOf(err); !strings.Contains(text, word) {
			t.Errorf("%q does not contain %q", text, word)
		}
	}
}

// TestCache: a chart is fetched once, whatever happens to its server then.
func TestCache(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		refuses(t, store(dir, true), c, fault.ErrUnavailable, "not cached", "--offline")
		if s.Requests() > 0 {
			t.Error("offline, it sent requests")
		}
		first := want(t, store(dir, false), c, "a chart")
		asked := s.Requests()
		for _, offline := range []bool{false, true} {
			if again := want(t, store(dir, offline), c, "a chart"); again.Digest != first.Digest {
				t.Errorf("the digest is %s, and was %s", again.Digest, first.Digest)
			}
		}
		if s.Requests() != asked {
			t.Error("a cached chart was requested again")
		}
	})
}

// TestChanged: a version whose archive changed is rejected until the user accepts it.
func TestChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		first := want(t, store(dir, false), c, "a chart")
		remove(t, filepath.Join(dir, strings.ReplaceAll(first.Digest, ":", "-")+".tgz"))
		want(t, store(dir, false), c, "a chart") // the same again is fine
		remove(t, filepath.Join(dir, strings.ReplaceAll(first.Digest, ":", "-")+".tgz"))
		s.Put("shop", version, archive("another"))
		refuses(t, store(dir, false), c, fault.ErrForeign, first.Digest, "first downloaded", "rm "+dir)
		seen, err := filepath.Glob(filepath.Join(dir, "seen", "*"))
		if err != nil || len(seen) != 1 {
			t.Fatalf("%q, %v", seen, err)
		}
		remove(t, seen[0])
		want(t, store(dir, false), c, "another")
	})
}

// TestTampered: a changed file in the cache is not used.
func TestTampered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *addontest.Server, c addons.Chart, dir string) {
		first := want(t, store(dir, false), c, "a chart")
		file := filepath.Join(dir, strings.ReplaceAll(first.Digest, ":", "-")+".tgz")
		if err := os.WriteFile(file, []byte("evil"), 0o600); err != nil {
			t.Fatal(err)
		}
		want(t, store(dir, false), c, "a chart")
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		s.SetFaults(addontest.Faults{Status: []int{429, 500, 503}})
		want(t, store(dir, false), c, "a chart")
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		s.SetFaults(addontest.Faults{Status: []int{429}, RetryAfter: "1"})
		began := time.Now()
		want(t, store(dir, false), c, "a chart")
		if waited := time.Since(began); waited < time.Second {
			t.Errorf("it came again after %s, and was told to wait a second", waited)
		}
	})
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		s.SetFaults(addontest.Faults{Status: []int{503, 503, 503, 503, 503, 503, 503, 503}})
		refuses(t, store(dir, false), c, fault.ErrUnavailable, "503", "shop")
		if n := s.Requests(); n != 5 {
			t.Errorf("it received %d requests", n)
		}
		s.SetFaults(addontest.Faults{Status: []int{403}})
		refuses(t, store(dir, false), c, fault.ErrUnavailable, "403")
	})
}

// TestInterrupted: who waits for a server can be interrupted.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		s.SetFaults(addontest.Faults{Status: []int{429}, RetryAfter: "20"})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := store(dir, false).Chart(ctx, c)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *addontest.Server, c addons.Chart, dir string) {
		c.Version = "9.9.9"
		refuses(t, store(dir, false), c, fault.ErrNotFound, "9.9.9")
	})
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		s.SetFaults(addontest.Faults{Damaged: true})
		_, err := store(dir, false).Chart(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%v", err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("something was kept of it: %v", entries)
		}
	})
}

func TestToken(t *testing.T) {
	t.Parallel()
	s, url := serve(t)
	s.SetFaults(addontest.Faults{Token: "open sesame"})
	want(t, store(t.TempDir(), false), sources(url)["registry"], "a chart")
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	c := addons.Chart{OCI: "oci://127.0.0.1:1/charts/shop", Version: "1.0.0"}
	refuses(t, store(t.TempDir(), false), c, fault.ErrUnavailable, "connection refused", "HTTPS_PROXY")
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
