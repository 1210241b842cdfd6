package charts_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// chartDir returns a directory with a chart.
func chartDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Chart.yaml"), "name: shop\nversion: 1.0.0\n")
	write(t, filepath.Join(dir, "templates", "a.yaml"), "kind: ConfigMap\n")
	return dir
}

// TestDirectory: equal files are an equal chart, different files a different one.
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
		t.Errorf("the digest is %s, and was %s", second, first)
	}
	write(t, filepath.Join(dir, ".git", "config"), "x")
	write(t, filepath.Join(dir, ".helmignore"), "*.md\n.helmignore\n")
	write(t, filepath.Join(dir, "README.md"), "x")
	if again := digest(); again != first {
		t.Error("a file that is no part of the chart changes the digest")
	}
	write(t, filepath.Join(dir, ".config", "values"), "a: 1")
	if changed := digest(); changed == first {
		t.Error("a different chart has the same digest")
	}
}

// TestAsHelmLoads compares with Helm's own loader, file by file.
func TestAsHelmLoads(t *testing.T) {
	t.Parallel()
	dir, outside := chartDir(t), t.TempDir()
	for name, text := range map[string]string{
		".helmignore":            "# comment\n*.bak\nnotes/\n/top.txt\nfiles/*.tmp\n",
		"templates/.hidden.yaml": "kind: Hidden\n", "templates/a.yaml.bak": "{{ broken", "notes/big": "x",
		"top.txt": "x", "files/top.txt": "x", "files/a.tmp": "x", ".dotted/file": "x", "values.yaml": "\xef\xbb\xbfa: 1\n",
		"crds/crd.yaml": "kind: CustomResourceDefinition\n", "charts/plain/Chart.yaml": "name: plain\nversion: 1.0.0\n",
		"charts/_off/Chart.yaml": "not: a chart\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(dir, "charts", "packed-1.0.0.tgz"), string(addontest.Chart("packed", "1.0.0", nil).Data))
	write(t, filepath.Join(outside, "_helpers.tpl"), `{{ define "x" }}{{ end }}`)
	write(t, filepath.Join(outside, "common", "Chart.yaml"), "name: common\nversion: 1.0.0\n")
	write(t, filepath.Join(outside, "common", "templates", "cm.yaml"), "kind: ConfigMap\n")
	write(t, filepath.Join(outside, "ignored", "file"), "x")
	link(t, filepath.Join(outside, "_helpers.tpl"), filepath.Join(dir, "templates", "_helpers.tpl"))
	link(t, filepath.Join(outside, "common"), filepath.Join(dir, "charts", "common"))
	link(t, filepath.Join(outside, "ignored"), filepath.Join(dir, "notes2.bak"))
	byLink := filepath.Join(t.TempDir(), "chart")
	link(t, dir, byLink)

	for _, at := range []string{dir, byLink} {
		wanted, err := loader.LoadDir(at)
		if err != nil {
			t.Fatal(err)
		}
		a, err := charts.New(charts.Options{}).Chart(t.Context(), addons.Chart{Path: at})
		if err != nil {
			t.Fatal(err)
		}
		got, err := loader.LoadArchive(bytes.NewReader(a.Data))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contents(wanted), contents(got)); diff != "" {
			t.Errorf("(-helm +lab):\n%s", diff)
		}
	}
}

// contents returns the files of a chart and of its dependencies, by path.
func contents(c *chart.Chart) map[string]string {
	all := map[string]string{}
	for _, f := range c.Raw {
		all["raw "+f.Name] = string(f.Data)
	}
	for _, f := range c.Templates {
		all["template "+f.Name] = string(f.Data)
	}
	for _, f := range c.Files {
		all["file "+f.Name] = string(f.Data)
	}
	for _, d := range c.Dependencies() {
		for name, text := range contents(d) {
			all[d.Name()+"/"+name] = text
		}
	}
	return all
}

func TestArchive(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shop.tgz")
	write(t, file, string(archive("an archive").Data))
	want(t, store(t.TempDir(), true), addons.Chart{Path: file}, "an archive")
	write(t, file, "an archive")
	refuses(t, store(t.TempDir(), true), addons.Chart{Path: file}, fault.ErrInvalid, file, "gzipped archive")
}

func TestBuiltinChart(t *testing.T) {
	t.Parallel()
	s := store(t.TempDir(), true)
	if a, err := s.Chart(t.Context(), addons.Chart{Builtin: "hello"}); err != nil || len(a.Data) == 0 {
		t.Error(err)
	}
	refuses(t, s, addons.Chart{Builtin: "nope"}, fault.ErrNotFound, "nope")
}

// TestNoChart: what `helm install` refuses is refused, and the error names the file.
func TestNoChart(t *testing.T) {
	t.Parallel()
	s := store(t.TempDir(), true)
	nope := filepath.Join(t.TempDir(), "nope")
	refuses(t, s, addons.Chart{Path: nope}, fault.ErrNotFound, "cannot read the chart "+nope+": no such file")
	refuses(t, s, addons.Chart{Path: t.TempDir()}, fault.ErrInvalid, "no Chart.yaml", "name the directory")
	for what, test := range map[string]struct {
		name, text string
		words      []string
	}{
		"library":            {"Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\ntype: library\n", []string{"a library chart", "dependencies"}},
		"no version":         {"Chart.yaml", "name: shop\n", []string{"chart.metadata.version is required"}},
		"broken Chart.yaml":  {"Chart.yaml", "name: [\n", []string{"Chart.yaml", "line"}},
		"broken values.yaml": {"values.yaml", "a: [\n", []string{"values.yaml", "line"}},
		"broken sub-chart":   {"charts/db/Chart.yaml", "name: db\n", []string{"subchart db", "version is required"}},
		"double star":        {".helmignore", "docs/**\n", []string{".helmignore", "double-star"}},
		"dependency": {
			"Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, repository: 'https://x', condition: db.enabled}\n",
			[]string{"found in Chart.yaml, but missing in charts/ directory: db", "helm dependency build"},
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := chartDir(t)
			write(t, filepath.Join(dir, test.name), test.text)
			refuses(t, s, addons.Chart{Path: dir}, fault.ErrInvalid, append(test.words, dir)...)
		})
	}
}

// TestLimits: files and links that do not belong to a chart neither fill the memory nor make
// lab hang, and the error names them. lab skips those that .helmignore names.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		to    string // of a link; "" for a large file
		words []string
	}{
		"notes/big.bin":     {"", []string{"notes/big.bin has 31 MB", "limit of Helm", ".helmignore"}},
		"notes/loop":        {".", []string{"notes/loop is a link to", "contains the link"}},
		"notes/up":          {"..", []string{"notes/up is a link to", "contains the link"}},
		"notes/root":        {"/", []string{"notes/root is a link to /", ".helmignore"}},
		"notes/nowhere":     {"missing", []string{"notes/nowhere", "no such file"}},
		"templates/null.md": {os.DevNull, []string{"templates/null.md is neither a directory nor a file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := chartDir(t)
			file := filepath.Join(dir, name)
			if test.to != "" {
				link(t, test.to, file)
			} else {
				write(t, file, "")
				if err := os.Truncate(file, 30<<20); err != nil {
					t.Fatal(err)
				}
			}
			s := store(t.TempDir(), true)
			refuses(t, s, addons.Chart{Path: dir}, fault.ErrInvalid, test.words...)
			write(t, filepath.Join(dir, ".helmignore"), "notes/\n*.md\n")
			if _, err := s.Chart(t.Context(), addons.Chart{Path: dir}); err != nil {
				t.Errorf("ignored: %v", err)
			}
		})
	}
	dir := chartDir(t)
	for i := range 21 {
		file := filepath.Join(dir, "files", strconv.Itoa(i))
		write(t, file, "")
		if err := os.Truncate(file, 5<<20); err != nil {
			t.Fatal(err)
		}
	}
	refuses(t, store(t.TempDir(), true), addons.Chart{Path: dir}, fault.ErrInvalid, "larger than 105 MB")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store(t.TempDir(), true).Chart(ended, addons.Chart{Path: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}

// TestIncompleteArchive: an archive that lacks a dependency is refused, whatever its source,
// and not cached.
func TestIncompleteArchive(t *testing.T) {
	t.Parallel()
	text := "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0}]\n"
	incomplete := addontest.Chart("shop", "1.0.0", map[string]string{"Chart.yaml": text})
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		s.Put("shop", version, incomplete)
		refuses(t, store(dir, false), c, fault.ErrInvalid, "missing in charts/ directory: db")
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("something of it was kept: %v", entries)
		}
	})
	file := filepath.Join(t.TempDir(), "shop.tgz")
	write(t, file, string(incomplete.Data))
	refuses(t, store(t.TempDir(), true), addons.Chart{Path: file}, fault.ErrInvalid, "missing in charts/ directory: db")
}

// TestAuthority: a server with an unknown certificate is rejected, with a hint.
func TestAuthority(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	secure := httptest.NewTLSServer(s)
	t.Cleanup(secure.Close)
	c := addons.Chart{Repository: secure.URL + "/charts", Name: "shop", Version: version}
	refuses(t, charts.New(charts.Options{Dir: t.TempDir()}), c, fault.ErrUnavailable, "certificate", "--ca-file")
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	want(t, charts.New(charts.Options{Dir: t.TempDir(), CAFile: file}), c, "a chart")
	ca, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want(t, charts.New(charts.Options{Dir: t.TempDir(), CA: ca}), c, "a chart")
	write(t, file, "no certificate")
	refuses(t, charts.New(charts.Options{Dir: t.TempDir(), CAFile: file}), c, fault.ErrInvalid, "no certificate")
}

// TestPrivate: other users of the machine cannot read the cache.
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
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	err := os.Symlink(to, path)
	if err != nil && runtime.GOOS == "windows" {
		t.Skipf("Windows permits links only to administrators: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
