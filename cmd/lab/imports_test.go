package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/clusterlab-dev/lab/"

// rule allows the packages below from to import, of this module, only what is below
// the given paths, and itself. The most specific rule for a package counts.
type rule struct {
	from string
	may  []string
}

func rules() []rule {
	return []rule{
		{"cmd/lab", []string{"cmd/internal", "providers"}},
		{"cmd/internal/cli", []string{"cmd/internal/lab", "cmd/internal/ui", "providers."}},
		{"cmd/internal/ui", []string{"providers."}},
		{"cmd/internal/lab", []string{"cmd/internal/state", "cmd/internal/kubeconfig", "cmd/internal/probe", "providers."}},
		{"cmd/internal/state", []string{"cmd/internal/atomicfile", "providers."}},
		{"cmd/internal/kubeconfig", []string{"cmd/internal/atomicfile", "providers."}},
		{"cmd/internal/probe", nil},
		{"cmd/internal/atomicfile", nil},
		{"providers/providertest", []string{"providers."}},
		{"providers/kwok", []string{"providers.", "providers/internal"}},
		{"providers/internal", []string{"providers."}},
		{"providers", nil},
	}
}

// only says which package alone may import a module.
func only() map[string]string {
	return map[string]string{
		"github.com/spf13/cobra":            "cmd/internal/cli",
		"github.com/charmbracelet/lipgloss": "cmd/internal/ui",
		"helm.sh/helm/v3":                   "addons/helm",
		"k8s.io/client-go":                  "cmd/internal/probe",
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// TestImports holds the packages to the one direction in which they may import.
func TestImports(t *testing.T) {
	packages := list(t)
	if len(packages) < 8 {
		t.Fatalf("found %d packages only", len(packages))
	}
	for _, p := range packages {
		for _, problem := range check(p) {
			t.Error(problem)
		}
	}
}

// TestImportsCanFail shows that check finds what it is there for.
func TestImportsCanFail(t *testing.T) {
	for _, p := range []goPackage{
		{module + "providers", []string{module + "providers/kwok"}},
		{module + "providers", []string{"github.com/google/go-cmp/cmp"}},
		{module + "cmd/internal/lab", []string{"github.com/spf13/cobra"}},
		{module + "cmd/internal/lab", []string{module + "cmd/internal/ui"}},
		{module + "cmd/internal/cli", []string{module + "providers/kwok"}},
		{module + "cmd/internal/util", nil},
		{module + "elsewhere", nil},
	} {
		if len(check(p)) == 0 {
			t.Errorf("%s importing %q is let through", p.ImportPath, p.Imports)
		}
	}
}

func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./cmd/...", "./providers/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// check returns what is wrong with the imports of p, each as the path that breaks a
// rule.
func check(p goPackage) []string {
	from := strings.TrimPrefix(p.ImportPath, module)
	var problems []string
	for _, part := range strings.Split(from, "/") {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc"}, part) {
			problems = append(problems, fmt.Sprintf("%s: %q says nothing about what is in it", from, part))
		}
	}
	r, ok := ruleOf(from)
	if !ok {
		return append(problems, from+": no rule says what it may import; add one")
	}
	for _, imported := range p.Imports {
		to, ours := strings.CutPrefix(imported, module)
		other, _ := ruleOf(to)
		switch {
		case ours && other.from != r.from && !slices.ContainsFunc(r.may, func(m string) bool { return allowed(to, m) }):
			problems = append(problems, fmt.Sprintf("%s -> %s: %s may import only %q", from, to, r.from, r.may))
		case !ours && from == "providers" && strings.Contains(strings.Split(imported, "/")[0], "."):
			problems = append(problems, fmt.Sprintf("%s -> %s: only the standard library", from, imported))
		}
		for external, owner := range only() {
			if below(imported, external) && !below(from, owner) {
				problems = append(problems, fmt.Sprintf("%s -> %s: only %s may import it", from, imported, owner))
			}
		}
	}
	return problems
}

// ruleOf returns the first rule that is about a package, which is the most specific.
func ruleOf(path string) (rule, bool) {
	for _, r := range rules() {
		if below(path, r.from) {
			return r, true
		}
	}
	return rule{}, false
}

func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// allowed tells whether may covers path. A full stop at its end means the package
// itself, without those below it.
func allowed(path, may string) bool {
	if exact, ok := strings.CutSuffix(may, "."); ok {
		return path == exact
	}
	return below(path, may)
}
