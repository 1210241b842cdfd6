package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/docs/examples/flavor"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// testFlavors returns flavors that a test adds to the program, as main adds the real ones.
func testFlavors() []providers.Flavor {
	return []providers.Flavor{
		boats(),
		flavor.Flavor(),
	}
}

// boats returns a flavor with a text, a list and a tool.
func boats() providers.Flavor {
	var hull string
	var args []string
	return providers.Flavor{
		Name: "boats",
		Keys: []providers.Key{
			{Path: "images.boats.hullColor", Variable: "LAB_IMAGES_BOATS_HULL_COLOR", Doc: "the color of the hull", Text: &hull},
			{Path: "boats.extraArgs", Variable: "LAB_BOATS_EXTRA_ARGS", Doc: "flags of sail", List: &args},
		},
		New: func(s providers.Setup) providers.Provider {
			return providertest.NewFake(providertest.Machine(s.Dir), providertest.FakeOptions{
				Name:        "boats",
				Description: providers.Description{Summary: "clusters on boats", Tools: []providers.Tool{{Name: "sail"}}},
			})
		},
	}
}

// TestFlavorsAreComplete checks what the program relies on in every flavor.
func TestFlavorsAreComplete(t *testing.T) {
	all := append(flavors(), testFlavors()...)
	seen := map[string]bool{}
	for _, key := range config.Keys(all...) {
		if seen[key.Path] || seen[key.Variable] {
			t.Errorf("%s: another key has this path or the variable %s", key.Path, key.Variable)
		}
		seen[key.Path], seen[key.Variable] = true, true
	}
	for _, f := range all {
		p := f.New(providers.Setup{Dir: t.TempDir()})
		if d := p.Describe(); p.Name() != f.Name || d.Summary == "" {
			t.Errorf("%s: the provider is called %q, its summary is %q", f.Name, p.Name(), d.Summary)
		}
		for _, key := range f.Keys {
			if !strings.HasPrefix(key.Path, "images."+f.Name+".") && !strings.HasPrefix(key.Path, f.Name+".") {
				t.Errorf("%s: the key %s belongs below %[1]s or images.%[1]s", f.Name, key.Path)
			}
			if want := variableOf(key.Path); key.Variable != want || key.Doc == "" {
				t.Errorf("%s: the key %s has the variable %q, want %q; its doc is %q", f.Name, key.Path, key.Variable, want, key.Doc)
			}
			if (key.Text == nil) == (key.List == nil) {
				t.Errorf("%s: the key %s needs either Text or List", f.Name, key.Path)
			}
		}
	}
}

// variableOf returns the environment variable of a key: LAB_IMAGES_K3D_LOAD_BALANCER for
// images.k3d.loadBalancer.
func variableOf(path string) string {
	words := regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(path, "${1}_$2")
	return "LAB_" + strings.ToUpper(strings.ReplaceAll(words, ".", "_"))
}

// TestAddedFlavor runs the program with each flavor of testFlavors alone.
func TestAddedFlavor(t *testing.T) {
	for _, f := range testFlavors() {
		t.Run(f.Name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("HOME", dir)
			t.Setenv("LAB_HOME", dir)
			t.Setenv("LAB_CONFIG", writeConfig(t, f))
			t.Setenv("PATH", installTools(t, f))
			run := func(want int, args ...string) string {
				streams, stdout, stderr := ui.Test(0, nil)
				build := func() (cli.Env, error) {
					dirs, noDirs := machine.FindDirs(os.Getenv)
					user, set, misconfigured, err := configure(dirs, []providers.Flavor{f})
					env := assemble(dirs, set, fakeProbe{}, user)
					env.Doctor.Misconfigured = misconfigured
					if noDirs != nil {
						err = noDirs
					}
					return env, err
				}
				if code := cli.Main(t.Context(), streams, build, args); code != want {
					t.Errorf("lab %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, stderr)
				}
				return stdout.String() + stderr.String()
			}
			if out := run(0, "flavors"); !strings.Contains(out, f.Name) || !strings.Contains(out, f.New(providers.Setup{}).Describe().Summary) {
				t.Errorf("lab flavors does not show it:\n%s", out)
			}
			for _, tool := range f.New(providers.Setup{}).Describe().Tools {
				if out := run(0, "doctor"); !strings.Contains(out, "v1.2.3 at "+filepath.Join(os.Getenv("PATH"), tool.Name)) {
					t.Errorf("lab doctor does not find %s:\n%s", tool.Name, out)
				}
			}
			for _, key := range f.Keys {
				if key.Text != nil && *key.Text != "configured" || key.List != nil && !slices.Equal(*key.List, []string{"a", "b"}) {
					t.Errorf("%s is not configured", key.Path)
				}
			}
			t.Setenv("LAB_CONFIG", writeConfig(t, providers.Flavor{Keys: []providers.Key{{Path: f.Name + ".unknown", Text: new(string)}}}))
			if out := run(2, "list"); !strings.Contains(out, "unknown key") {
				t.Errorf("a key that the flavor does not have is accepted:\n%s", out)
			}
		})
	}
}

// writeConfig writes a configuration file that sets each key of a flavor, and returns its path.
func writeConfig(t *testing.T, f providers.Flavor) string {
	t.Helper()
	text := "apiVersion: lab/v1alpha1\nkind: Config\n"
	for _, key := range f.Keys {
		parts := strings.Split(key.Path, ".")
		value := "configured"
		if key.List != nil {
			value = "[a, b]"
		}
		for i, part := range parts {
			if !strings.Contains(text, "\n"+strings.Repeat(" ", i)+part+":\n") {
				text += strings.Repeat(" ", i) + part + ":\n"
			}
		}
		text = strings.TrimSuffix(text, "\n") + " " + value + "\n"
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// installTools writes programs with the names of a flavor's tools, which print the version v1.2.3, and
// returns their directory.
func installTools(t *testing.T, f providers.Flavor) string {
	t.Helper()
	bin := t.TempDir()
	for _, tool := range f.New(providers.Setup{}).Describe().Tools {
		if err := os.WriteFile(filepath.Join(bin, tool.Name), []byte("#!/bin/sh\necho v1.2.3\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}
