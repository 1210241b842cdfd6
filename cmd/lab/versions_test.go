package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestOneVersion checks that lab, lab-engine and the programs of the test bed require the same version of each module, so
// that shared packages are compiled once: a third of lab-engine.
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
					t.Errorf("%s: %s requires %s, but %s requires %s; to fix: go get the higher version, then make tidy", module, dirs[j], other, dir, version)
				}
			}
		}
	}
	if shared < 100 {
		t.Errorf("found only %d shared modules", shared)
	}
}

// required returns the versions that a go.mod requires, by module. It does not read replacements.
func required(file string) map[string]string {
	versions := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:require|\t)\s*(\S+) (v\S+)(?: // indirect)?$`).FindAllStringSubmatch(file, -1) {
		versions[m[1]] = m[2]
	}
	return versions
}
