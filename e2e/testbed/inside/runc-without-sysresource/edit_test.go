package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEdit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, before, after string }{
		{"a container", "config.json",
			`{"hostname":"x","process":{"args":["a"],"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"]},"oomScoreAdj":-997}}`,
			`{"hostname":"x","process":{"args":["a"],"capabilities":{"bounding":["CAP_CHOWN"]}}}`},
		{"an available capability stays", "config.json",
			`{"process":{"capabilities":{"effective":["CAP_CHOWN"]},"oomScoreAdj":1000}}`,
			`{"process":{"capabilities":{"effective":["CAP_CHOWN"]},"oomScoreAdj":1000}}`},
		{"an exec", "process.json",
			`{"capabilities":{"bounding":["CAP_SYS_RESOURCE"]},"cwd":"/"}`, `{"capabilities":{"bounding":[]},"cwd":"/"}`},
		{"an exec that asks for nothing", "process.json", `{"cwd":"/"}`, `{"cwd":"/"}`},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, tt.file)
		if err := os.WriteFile(path, []byte(tt.before), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"create", "--bundle", dir, "id"}
		if tt.file == "process.json" {
			args = []string{"exec", "--process", path, "id"}
		}
		if err := editAll(args, 0); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got, err := os.ReadFile(path); string(got) != tt.after {
			t.Errorf("%s: the file contains\n%s\nwant\n%s (%v)", tt.name, got, tt.after, err)
		}
	}
}
