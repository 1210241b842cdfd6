package programs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestModule(t *testing.T) {
	t.Parallel()
	ours, dir := t.TempDir(), filepath.Join(t.TempDir(), "module")
	write(t, filepath.Join(ours, "go.mod"), `module ours.invalid

go 1.26.0

require (
	one.invalid v1.0.0
	two.invalid v0.0.0 // indirect
)

replace two.invalid => two.invalid v2.0.0
`)
	p := Program{Name: "tool", Module: "tool.invalid/v3", Version: "v3.1.0", Like: ours, Main: "package main\n"}
	if err := p.writeModule(dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"main.go": "package main\n", "go.sum": "", "go.mod": `module testbed.invalid/tool

go 1.26.0

require tool.invalid/v3 v3.1.0

require (
	one.invalid v1.0.0
	two.invalid v0.0.0 // indirect
)

replace two.invalid => two.invalid v2.0.0
`}
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Errorf("with Like (-want +got):\n%s", diff)
	}

	write(t, filepath.Join(dir, "go.sum"), "tool.invalid/v3 v3.1.0 h1:of-before\n")
	p = Program{Name: "tool", Module: "tool.invalid/v3", Version: "v3.2.0", Main: "package main\n"}
	if err := p.writeModule(dir); err != nil {
		t.Fatal(err)
	}
	want["go.mod"] = "module testbed.invalid/tool\n\ngo 1.26.0\n\nrequire tool.invalid/v3 v3.2.0\n"
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Errorf("at another version (-want +got):\n%s", diff)
	}
}

// TestLike checks that programs with Like find versions in that module.
func TestLike(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for _, p := range Catalog(root) {
		if p.Like == "" {
			continue
		}
		shared++
		if err := p.writeModule(t.TempDir()); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if shared == 0 {
		t.Error("no program has Like")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(data)
	}
	return files
}
