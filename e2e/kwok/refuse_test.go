//go:build e2e && unix

package kwok

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnsupported requests features that simulated nodes do not have. lab must fail before it creates anything, with
// a hint.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	native := filepath.Join(t.TempDir(), "kind.yaml")
	if err := os.WriteFile(native, []byte("kind: Cluster\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags []string
		words []string
	}{
		{[]string{"--control-planes", "2"}, []string{"one control plane", "leave out --control-planes"}},
		{[]string{"--port", "8080:80"}, []string{"publish ports", "leave out --port"}},
		{[]string{"--mount", "/:/host"}, []string{"mount directories", "leave out --mount"}},
		{[]string{"--image", "node:v1"}, []string{"no node image", "leave out --image"}},
		{[]string{"--kubernetes-version", "v1.30.0"}, []string{"v1.30.0", "leave out --kubernetes-version"}},
	} {
		p.fails(6, append(test.words, "hint:"), append([]string{"up", "--flavor", "kwok"}, test.flags...)...)
		if files := filesBelow(t, p.labHome); len(files) > 0 {
			t.Errorf("%v left %v", test.flags, files)
		}
	}
	p.fails(2, []string{`a "Cluster" of ""`, "KwokctlConfiguration", "hint:"}, "up", "--flavor", "kwok", "--cluster-config", native, "--dry-run")
	p.fails(2, []string{`a "Cluster" of ""`, "KwokctlConfiguration", "hint:"}, "up", "--flavor", "kwok", "--cluster-config", native)
	name := p.up()
	// A partial version selects the version of the flavor, for existing clusters, too.
	p.fails(3, []string{"no Kubernetes v1.30", "v1.37.2"}, "up", "other", "--flavor", "kwok", "--kubernetes-version", "1.30")
	for _, version := range []string{"1.37", "v1.37", "latest", "v1.37.2+k3s1"} {
		plan := p.Must("up", "other", "--flavor", "kwok", "--kubernetes-version", version, "--dry-run", "-o", "json")
		if !strings.Contains(plan, `"kubernetesVersion": "v1.37.2"`) {
			t.Errorf("%s: %s", version, plan)
		}
		p.Must("diff", name, "--kubernetes-version", version)
	}
	p.fails(6, []string{"cannot load images", "hint:"}, "image", "load", native, "--name", name)
	p.fails(4, []string{"exists already", "add --recreate to this command"}, "up", name, "--workers", "3")
	p.Must("down", name)
}

// TestEngineUnusable removes lab-engine, then replaces it by files that are not a working lab-engine.
func TestEngineUnusable(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	bin := t.TempDir()
	copyProgram(t, filepath.Join(p.bin, "lab"), filepath.Join(bin, "lab"))
	engine := filepath.Join(bin, "lab-engine")
	name := p.up()
	client := p.client(name)
	p.Must("stop", name)

	p.bin = bin
	p.fails(5, []string{"lab-engine is not installed", "make install"}, "up", "--flavor", "kwok")
	p.fails(5, []string{"no flavor is usable", "lab flavors"}, "up", "other")
	p.fails(5, []string{"lab-engine is not installed", "make install"}, "start", name)
	p.fails(5, []string{"kubectl is not installed", "lab tools install kubectl"}, "kubectl", name, "--", "version")
	for content, words := range map[string][]string{
		"":                          {"cannot run ", "make install"},
		"#!/bin/sh\nexit 1\n":       {"cannot run ", "make install"},
		"#!/bin/sh\necho '{}'\n":    {"does not print its version", "make install"},
		"\x7fELF is what it is not": {"cannot run ", "make install"},
	} {
		if err := os.WriteFile(engine, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
		p.fails(5, words, "up", "--flavor", "kwok")
	}
	if err := os.Chmod(engine, 0o600); err != nil {
		t.Fatal(err)
	}
	p.fails(5, []string{"is not executable", "chmod +x " + engine}, "up", "--flavor", "kwok")

	p.bin = os.Getenv(binDir)
	p.Must("start", name)
	if _, err := client.Discovery().ServerVersion(); err != nil {
		t.Error(err)
	}
	p.Must("down", name)
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, []byte(read(t, from)), 0o700); err != nil {
		t.Fatal(err)
	}
}
