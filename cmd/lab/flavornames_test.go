package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFlavorNamesStayInAdapters finds flavor names in the strings of other packages. What differs
// between flavors belongs to their adapters: other code asks for traits, abilities and descriptions.
func TestFlavorNamesStayInAdapters(t *testing.T) {
	root := filepath.Join("..", "..")
	names := realFlavors()
	scanned := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, file)
		name = filepath.ToSlash(name)
		if d.IsDir() && (slices.Contains([]string{"bin", "e2e", "testdata"}, d.Name()) || strings.HasPrefix(name, ".") && name != "." || isAdapter(name, names)) {
			return filepath.SkipDir
		}
		if name == "cmd/lab/main.go" || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		scanned++
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, problem := range flavorNamesIn(f, names) {
			t.Errorf("%s: %s names a flavor: use a trait, an ability or the description of the provider", name, problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if scanned < 100 || len(names) < 4 {
		t.Errorf("scanned only %d files for %q", scanned, names)
	}
}

func TestFlavorNamesAreFound(t *testing.T) {
	for code, want := range map[string]int{
		`var a = flavor == "kind"`:                                    1,
		`func f() { switch flavor { case "kind": } }`:                 1,
		`var a = "leave it out, or: lab up --flavor kind"`:            1,
		`var a = map[string]int{"k3d": 1, "minikube": 2}`:             2,
		`var a = "the driver of minikube"`:                            1,
		`var a = cobra.Command{Short: "kwok", Example: "lab kwok"}`:   1,
		`var a = r.Flavor == "kind" && p.Name() != "kind"`:            2,
		`var a = f.key == "kind"`:                                     0,
		`var a = doc["kind"] == "Pod" || key == "name"`:               0,
		`type a struct { K string "json:\"kind\"" }`:                  0,
		`func f() { switch key { case "apiVersion", "kind": } }`:      0,
		`var a = map[string]any{"kind": "Namespace", "of-kwoks": ""}`: 0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := flavorNamesIn(f, []string{"kind", "k3d", "minikube", "kwok"}); len(got) != want {
			t.Errorf("%s: found %q, want %d", code, got, want)
		}
	}
}

// realFlavors returns the names of the flavors that main lists.
func realFlavors() []string {
	var names []string
	for _, f := range flavors() {
		names = append(names, f.Name)
	}
	return names
}

func isAdapter(dir string, names []string) bool {
	name, ok := strings.CutPrefix(dir, "providers/")
	return ok && slices.Contains(names, name)
}

// isFlavor reports whether an expression is the name of a flavor, by its own name.
func isFlavor(e ast.Expr) bool {
	return regexp.MustCompile(`(?i)flavor|provider|\.name\b`).MatchString(types.ExprString(e))
}

// flavorNamesIn returns the strings of a file that contain a flavor name. An Example of a command may
// contain one. "kind" is also a common word and a field of every Kubernetes object, so it counts only
// after --flavor, and where the name of a flavor is compared with it.
func flavorNamesIn(f *ast.File, names []string) []string {
	var found []string
	check := func(e ast.Expr, text func(s string) bool) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, _ := strconv.Unquote(lit.Value); text(s) {
				found = append(found, lit.Value)
			}
		}
	}
	isKind := func(s string) bool { return s == "kind" }
	rest := slices.DeleteFunc(slices.Clone(names), isKind)
	pattern := regexp.MustCompile(`--flavor[ =]kind\b|(^|[^\w-])(` + strings.Join(rest, "|") + `)\b`)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			key, _ := n.Key.(*ast.Ident)
			return key == nil || key.Name != "Example"
		case *ast.BinaryExpr:
			if isFlavor(n.X) || isFlavor(n.Y) {
				check(n.X, isKind)
				check(n.Y, isKind)
			}
		case *ast.SwitchStmt:
			for _, s := range n.Body.List {
				for _, e := range s.(*ast.CaseClause).List {
					if n.Tag != nil && isFlavor(n.Tag) {
						check(e, isKind)
					}
				}
			}
		case *ast.BasicLit:
			check(n, pattern.MatchString)
		}
		return true
	})
	return found
}
