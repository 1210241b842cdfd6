package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestOneVersion holds that lab, its engine and what goes into the test bed's images take one version of each module:
// what several of them need is compiled once then, which is a third of the engine.
func TestOneVersion(t *testing.T) {
	t.Parallel()
	dirs := []string{".", "providers/kwok/engine", "e2e/testbed/inside"}
	found := make([]map[string]string, len(dirs))
	shared := 0
	for i, dir := range dirs {
		file, err := os.ReadFile(filepath.Join("..", "..", dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		found[i] = required(string(file))
		for j := range i {
			for module, version := range found[i] {
				other, both := found[j][module]
				if both {
					shared++
				}
				if both && other != version {
					t.Errorf("%s: %s has %s, and %s has %s: go get the higher one in the other, and make tidy", module, dirs[j], other, dir, version)
				}
			}
		}
	}
	if shared < 100 {
		t.Errorf("only %d modules are shared: is this still how a go.mod is read?", shared)
	}
}

// required returns the versions that a go.mod requires, by module; what it replaces by which is not among them.
func required(file string) map[string]string {
	versions := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:require|\t)\s*(\S+) (v\S+)(?: // indirect)?$`).FindAllStringSubmatch(file, -1) {
		versions[m[1]] = m[2]
	}
	return versions
}
