package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConventions checks the conventions of the code: no init functions, no package variables
// but errors and embedded files, no prints, exits or sleeps outside their packages, no sizes in
// units other than those of event.Size, and no long files or functions.
func TestConventions(t *testing.T) {
	root := filepath.Join("..", "..")
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		found++
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, problem := range append(violations(filepath.ToSlash(name), f), tooLong(files, f)...) {
			t.Errorf("%s: %s", name, problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("found only %d files", found)
	}
}

// TestConventionsCanFail checks that each violation is found.
func TestConventionsCanFail(t *testing.T) {
	for _, code := range []string{
		"func init() {}",
		"var count = 1",
		`import "fmt"; func f() { fmt.Println() }`,
		`import "os"; func f() { os.Exit(1) }`,
		`import "log"; func f() { log.Fatal() }`,
		`import "time"; func f() { time.Sleep(1) }`,
		`func f() { panic(1) }`,
		`import ("fmt"; "os"); func f() { fmt.Fprintln(os.Stderr) }`,
		`func f() string { return "2 GiB" }`,
		"func f() {" + strings.Repeat("\n", 61) + "}",
		strings.Repeat("\n", 401),
	} {
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, "x.go", "package x\n"+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(violations("cmd/internal/clusters/x.go", f))+len(tooLong(files, f)) == 0 {
			t.Errorf("%s: no violation found", code)
		}
	}
}

// tooLong returns files of more than 400 lines and functions of more than 60.
func tooLong(files *token.FileSet, f *ast.File) []string {
	var problems []string
	line := func(p token.Pos) int { return files.Position(p).Line }
	if n := files.File(f.FileStart).LineCount(); n > 400 {
		problems = append(problems, fmt.Sprintf("%d lines", n))
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && line(d.End())-line(d.Pos()) > 60 {
			problems = append(problems, fmt.Sprintf("func %s has %d lines", d.Name.Name, line(d.End())-line(d.Pos())))
		}
	}
	return problems
}

// violations returns the init functions, package variables, forbidden calls and sizes of a file. cmd/hello is not lab.
func violations(name string, f *ast.File) []string {
	var problems []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" && d.Recv == nil {
				problems = append(problems, "func init")
			}
		case *ast.GenDecl:
			problems = append(problems, globals(d)...)
		}
	}
	program := f.Name.Name == "main" // may exit, and may print if it is not lab
	sized := regexp.MustCompile(`\b[KMGT]iB\b`)
	ast.Inspect(f, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && sized.MatchString(text.Value) && !strings.HasPrefix(name, "cmd/hello/") {
			problems = append(problems, "a size in "+text.Value)
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		callee := nameOf(call.Fun)
		if strings.HasPrefix(callee, "fmt.Fprint") && strings.HasPrefix(nameOf(call.Args[0]), "os.Std") {
			callee = strings.Replace(callee, "Fprint", "Print", 1) // equivalent
		}
		if forbidden(callee, name, program) {
			problems = append(problems, callee)
		}
		return true
	})
	return problems
}

func forbidden(callee, name string, program bool) bool {
	switch callee {
	case "os.Exit", "log.Fatal", "log.Fatalf":
		return !program
	case "fmt.Print", "fmt.Println", "fmt.Printf":
		return !program || strings.HasPrefix(name, "cmd/lab/")
	case "time.Sleep":
		return true
	case "panic":
		return true
	}
	return false
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
	}
	return ""
}

// globals returns the package variables of d, except errors, embedded files, blank variables
// and variables of other packages that are declared by linkname.
func globals(d *ast.GenDecl) []string {
	if d.Tok != token.VAR {
		return nil
	}
	var names []string
	for _, s := range d.Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			lower := strings.ToLower(n.Name)
			embedded := nameOf(s.(*ast.ValueSpec).Type) == "embed.FS"
			if n.Name != "_" && !strings.HasPrefix(lower, "err") && !embedded && !linked(s.(*ast.ValueSpec), d) {
				names = append(names, "var "+n.Name)
			}
		}
	}
	return names
}

func linked(s *ast.ValueSpec, d *ast.GenDecl) bool {
	for _, group := range []*ast.CommentGroup{s.Doc, s.Comment, d.Doc} {
		if group == nil {
			continue
		}
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:linkname ") {
				return true
			}
		}
	}
	return false
}
