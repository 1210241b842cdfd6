package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/clusterlab-dev/lab/"

// rule restricts which packages of this module the packages at from and below may import: those
// at the given paths and below, and each other. The first rule that matches a package applies.
type rule struct {
	from string
	may  []string
}

// leaves returns the packages that every package may import. They import nothing but the standard
// library, each other, and the modules here.
func leaves() map[string][]string {
	return map[string][]string{
		"providers/atomicfile": nil, "providers/fault": nil, "providers/event": nil, "providers/hostport": nil, "providers/logs": nil,
		"profiles/strict": {"go.yaml.in/yaml/v3", "sigs.k8s.io/yaml"},
	}
}

// useCases returns the packages of the use cases, the highest first. Go refuses an import against the
// order.
func useCases() []string {
	return []string{"cmd/internal/bundles", "cmd/internal/bench", "cmd/internal/machine", "cmd/internal/learning", "cmd/internal/packs", "cmd/internal/traffic", "cmd/internal/clusters", "cmd/internal/clusteraddons", "cmd/internal/inventory", "cmd/internal/output"}
}

// rules returns the allowed imports. "providers/*" is a rule for each adapter: a new flavor needs no
// line here.
func rules() []rule {
	onTop := []string{"addons.", "providers."}
	var rules []rule
	for leaf := range leaves() {
		rules = append(rules, rule{leaf, nil})
	}
	return append(rules,
		rule{"cmd/lab", []string{"cmd/internal", "providers", "addons", "profiles", "exercises", "images"}},
		rule{"cmd/hello", nil},
		rule{"cmd/internal/cli", append(useCases(), "cmd/internal/ui", "providers.", "addons.", "profiles.", "exercises.", "images/cache")},
		rule{"cmd/internal/ui", []string{"providers."}},
		rule{"cmd/internal/labtest", append(useCases(), "cmd/internal/state", "cmd/internal/snapshots", "cmd/internal/kubeconfig", "cmd/internal/probe", "providers.", "providers/providertest", "addons.", "addons/addontest")},
		rule{"cmd/internal/bundles", append(useCases(), "cmd/internal/probe", "cmd/internal/tools", "addons/download", "images", "providers.", "addons.")},
		rule{"cmd/internal/traffic", []string{"cmd/internal/inventory", "providers."}},
		rule{"cmd/internal/learning", append(useCases(), "providers.", "providers/atomicfile", "exercises.")},
		rule{"cmd/internal/packs", []string{"cmd/internal/records", "exercises."}},
		rule{"cmd/internal/bench", append(useCases(), "cmd/internal/probe", "providers.", "profiles.")},
		rule{"cmd/internal/machine", append(useCases(), "cmd/internal/doctor", "cmd/internal/kubeconfig", "cmd/internal/tools", "providers.")},
		rule{"cmd/internal/clusters", append(useCases(), "cmd/internal/state", "cmd/internal/snapshots", "cmd/internal/kubeconfig", "cmd/internal/probe", "providers.", "addons.", "profiles.")},
		rule{"cmd/internal/clusteraddons", append(useCases(), "cmd/internal/state", "providers.", "addons.")},
		rule{"cmd/internal/inventory", []string{"cmd/internal/output", "cmd/internal/state", "cmd/internal/probe", "providers.", "addons."}},
		rule{"cmd/internal/output", []string{"cmd/internal/probe", "providers.", "addons."}},
		rule{"cmd/internal/snapshots", append(onTop, "cmd/internal/state", "cmd/internal/records")},
		rule{"cmd/internal/state", append(onTop, "cmd/internal/records")},
		rule{"cmd/internal/records", nil},
		rule{"cmd/internal/kubeconfig", []string{"providers."}},
		rule{"cmd/internal/config", []string{"providers."}},
		rule{"cmd/internal/probe", []string{"addons/ready", "providers."}},
		rule{"cmd/internal/doctor", []string{"providers."}},
		rule{"cmd/internal/tools", []string{"addons/download", "providers."}},
		rule{"profiles", onTop},
		rule{"exercises/live", []string{"exercises."}},
		rule{"exercises", nil},
		rule{"addons/charts", append(onTop, "addons/download")},
		rule{"addons/download", []string{"providers."}},
		rule{"addons/helm", append(onTop, "addons/ready")},
		rule{"addons/ready", onTop},
		rule{"addons/addontest", onTop},
		rule{"addons", []string{"providers."}},
		rule{"images", []string{"providers."}},
		rule{"providers/providertest", []string{"providers."}},
		rule{"providers/internal", []string{"providers."}},
		rule{"providers/imagebuild", []string{"providers.", "providers/internal"}},
		rule{"providers/imagecache", []string{"providers.", "providers/internal", "images/cache"}},
		rule{"providers/*", []string{"providers.", "providers/internal"}},
		rule{"providers", nil},
		rule{"e2e", []string{"providers."}},
		rule{"docs/examples", []string{"providers.", "providers/providertest", "providers/internal"}},
	)
}

// only returns the packages that may import a module. Other packages must not import it, not even
// through other modules, except through the library of a tool, see drivesTool.
func only() map[string][]string {
	return map[string][]string{
		"github.com/spf13/cobra":            {"cmd/internal/cli"},
		"github.com/charmbracelet/lipgloss": {"cmd/internal/ui"},
		"github.com/google/cel-go":          {"exercises"},
		"helm.sh/helm/v3":                   {"addons/charts", "addons/helm"},
		"k8s.io/client-go":                  {"cmd/internal/probe", "cmd/internal/traffic", "addons/helm", "addons/ready", "exercises/live"},
	}
}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// graph is a set of packages by import path.
type graph map[string]goPackage

// TestImports checks the imports of all packages against the rules, on every system.
func TestImports(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			g := load(t, system)
			ours := 0
			for path := range g {
				if strings.HasPrefix(path, module) {
					ours++
				}
				for _, problem := range g.check(path) {
					t.Error(problem)
				}
			}
			if ours < 8 {
				t.Errorf("found only %d packages", ours)
			}
		})
	}
}

// TestImportsCanFail checks that check finds violations, and only those.
func TestImportsCanFail(t *testing.T) {
	const cli, clusters, ui, cobra = "cmd/internal/cli", "cmd/internal/clusters", "cmd/internal/ui", "github.com/spf13/cobra"
	for _, test := range []struct {
		chain []string // each imports the next
		want  string   // "" if it is allowed
	}{
		{[]string{"cmd/lab", cli, cobra}, ""},
		{[]string{"cmd/lab", "providers/kwok", "providers", "errors"}, ""},
		{[]string{clusters, cobra}, clusters + " -> " + cobra},
		{[]string{clusters, "example.org/a", "example.org/b", cobra}, clusters + " -> example.org/a -> example.org/b -> " + cobra},
		{[]string{"providers/k3d", "github.com/k3d-io/k3d/v5", cobra}, ""},
		{[]string{"providers/k3d", "providers/internal/docker", cobra}, "providers/k3d -> providers/internal/docker -> " + cobra},
		{[]string{clusters, ui}, clusters + " -> " + ui},
		{[]string{cli, "providers/kwok"}, cli + " -> providers/kwok"},
		{[]string{"providers/kind", "providers/kwok"}, "providers/kind -> providers/kwok"},
		{[]string{"providers", "providers/kwok"}, "providers -> providers/kwok"},
		{[]string{"providers", "example.org/a"}, "providers -> example.org/a"},
		{[]string{"providers/fault", "example.org/a"}, "providers/fault -> example.org/a"},
		{[]string{"providers/fault", "providers"}, "providers/fault -> providers"},
		{[]string{"profiles/strict", "sigs.k8s.io/yaml"}, ""},
		{[]string{"profiles/strict", "example.org/a"}, "profiles/strict -> example.org/a"},
		{[]string{"providers/kind", "providers/fault"}, ""},
		{[]string{"providers/newflavor", "providers/internal/docker"}, ""},
		{[]string{"providers/newflavor", "example.org/tool", cobra}, ""},
		{[]string{"providers/newflavor", "providers/kwok"}, "providers/newflavor -> providers/kwok"},
		{[]string{"cmd/internal/util"}, "cmd/internal/util"},
		{[]string{"elsewhere"}, "elsewhere"},
	} {
		g, first := chained(test.chain)
		got := strings.Join(g.check(first), "\n")
		if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.chain, got, test.want)
		}
	}
}

// chained returns a graph in which each package imports the next, and the first.
func chained(chain []string) (g graph, first string) {
	g = graph{}
	for i := len(chain) - 1; i >= 0; i-- {
		p := goPackage{ImportPath: module + chain[i], Standard: chain[i] == "errors"}
		if p.Standard || strings.Contains(strings.Split(chain[i], "/")[0], ".") {
			p.ImportPath = chain[i]
		}
		if first != "" {
			p.Imports = []string{first}
		}
		g[p.ImportPath], first = p, p.ImportPath
	}
	return g, first
}

func load(t *testing.T, system string) graph {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	g := graph{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return g
		}
		if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p
	}
}

// check returns the problems of a package of this module, each with the path of imports that
// breaks a rule.
func (g graph) check(path string) []string {
	from, ours := strings.CutPrefix(path, module)
	if !ours {
		return nil
	}
	var problems []string
	for _, part := range strings.Split(from, "/") {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc"}, part) {
			problems = append(problems, fmt.Sprintf("%s: the name %q does not describe the package", from, part))
		}
	}
	modules, leaf := leaves()[from]
	r, ok := ruleOf(from)
	if !ok {
		return append(problems, from+": add a rule for its imports")
	}
	for _, imported := range g[path].Imports {
		to, ours := strings.CutPrefix(imported, module)
		other, _ := ruleOf(to)
		_, toLeaf := leaves()[to]
		switch {
		case ours && other.from != r.from && !toLeaf && !slices.ContainsFunc(r.may, func(m string) bool { return allowed(to, m) }):
			problems = append(problems, fmt.Sprintf("%s -> %s: %s may import only %q", from, to, r.from, r.may))
		case !ours && (from == "providers" || leaf) && !g[imported].Standard && !slices.Contains(modules, imported):
			problems = append(problems, fmt.Sprintf("%s -> %s: only the standard library", from, imported))
		}
	}
	for external, owners := range only() {
		if chain := g.path(path, external, owners); chain != nil && !belowAny(from, owners) {
			text := strings.ReplaceAll(strings.Join(chain, " -> "), module, "")
			problems = append(problems, fmt.Sprintf("%s: only %s may reach it", text, strings.Join(owners, ", ")))
		}
	}
	return problems
}

// drivesTool reports whether a package imports the library of a tool. The imports of such
// libraries are not checked.
func drivesTool(path string) bool {
	from, ours := strings.CutPrefix(path, module)
	r, _ := ruleOf(from)
	isAdapter := strings.HasPrefix(r.from, "providers/") && slices.Contains(r.may, "providers/internal")
	return ours && (isAdapter || belowAny(from, []string{"providers/internal", "addons/charts", "addons/helm"}))
}

// path returns the shortest chain of imports from a package to target, without the packages that
// may import target. It returns nil if there is none.
func (g graph) path(from, target string, owners []string) []string {
	seen := map[string]bool{}
	for chains := [][]string{{from}}; len(chains) > 0; chains = chains[1:] {
		chain := chains[0]
		last := chain[len(chain)-1]
		switch {
		case below(last, target):
			return chain
		case seen[last] || belowAny(strings.TrimPrefix(last, module), owners):
			continue
		}
		seen[last] = true
		for _, next := range g[last].Imports {
			if !drivesTool(last) || below(next, target) || strings.HasPrefix(next, module) {
				chains = append(chains, append(slices.Clone(chain), next))
			}
		}
	}
	return nil
}

// ruleOf returns the first rule that matches a package.
func ruleOf(path string) (rule, bool) {
	for _, r := range rules() {
		if parent, ok := strings.CutSuffix(r.from, "/*"); ok && strings.HasPrefix(path, parent+"/") {
			name, _, _ := strings.Cut(strings.TrimPrefix(path, parent+"/"), "/")
			r.from = parent + "/" + name
		}
		if below(path, r.from) {
			return r, true
		}
	}
	return rule{}, false
}

func belowAny(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return below(path, root) })
}

func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// allowed reports whether may matches path. A full stop at the end of may excludes packages
// below it.
func allowed(path, may string) bool {
	if exact, ok := strings.CutSuffix(may, "."); ok {
		return path == exact
	}
	return below(path, may)
}
