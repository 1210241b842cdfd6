package charts_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers"
)

// chartDir returns a directory with a chart.
func chartDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml": "name: shop\nversion: 1.0.0\n", "templates/a.yaml": "kind: ConfigMap\n", ".git/config": "secret",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDirectory: the same files are the same chart, and others another.
func TestDirectory(t *testing.T) {
	t.Parallel()
	s := store(t.TempDir(), true)
	dir := chartDir(t)
	digest := func() string {
		t.Helper()
		a, err := s.Chart(t.Context(), addons.Chart{Path: dir})
		if err != nil || len(a.Data) == 0 {
			t.Fatal(err)
		}
		return a.Digest
	}
	first := digest()
	if second := digest(); second != first {
		t.Errorf("it is %s, and was %s", second, first)
	}
	write(t, filepath.Join(dir, ".git", "config"), "x")
	if again := digest(); again != first {
		t.Error("what is no part of the chart counts")
	}
	write(t, filepath.Join(dir, "values.yaml"), "a: 1")
	if changed := digest(); changed == first {
		t.Error("another chart has the same digest")
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shop.tgz")
	write(t, file, "an archive")
	want(t, store(t.TempDir(), true), addons.Chart{Path: file}, "an archive")
}

func TestBuiltinChart(t *testing.T) {
	t.Parallel()
	s := store(t.TempDir(), true)
	if a, err := s.Chart(t.Context(), addons.Chart{Builtin: "hello"}); err != nil || len(a.Data) == 0 {
		t.Error(err)
	}
	refuses(t, s, addons.Chart{Builtin: "nope"}, providers.ErrNotFound, "nope")
}

func TestNoChart(t *testing.T) {
	t.Parallel()
	s := store(t.TempDir(), true)
	refuses(t, s, addons.Chart{Path: filepath.Join(t.TempDir(), "nope")}, providers.ErrNotFound, "nope")
	refuses(t, s, addons.Chart{Path: t.TempDir()}, providers.ErrInvalid, "Chart.yaml")
	big := chartDir(t)
	if err := os.Truncate(filepath.Join(big, "templates/a.yaml"), 30<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Chart(t.Context(), addons.Chart{Path: big}); err == nil || !strings.Contains(err.Error(), "20 MiB") {
		t.Errorf("%v", err)
	}
}

// TestAuthority: a server whose certificate nobody knows is refused, with the way out.
func TestAuthority(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	secure := httptest.NewTLSServer(s)
	t.Cleanup(secure.Close)
	c := addons.Chart{Repository: secure.URL + "/charts", Name: "shop", Version: version}
	refuses(t, charts.New(charts.Options{Dir: t.TempDir()}), c, providers.ErrUnavailable, "certificate", "--ca-file")
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	want(t, charts.New(charts.Options{Dir: t.TempDir(), CAFile: file}), c, "a chart")
	write(t, file, "no certificate")
	refuses(t, charts.New(charts.Options{Dir: t.TempDir(), CAFile: file}), c, providers.ErrInvalid, "no certificate")
}

// TestPrivate: nobody else on the machine can read the cache.
func TestPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // which has no such modes
	}
	_, url := serve(t)
	dir := filepath.Join(t.TempDir(), "charts")
	want(t, store(dir, false), sources(url)["registry"], "a chart")
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
