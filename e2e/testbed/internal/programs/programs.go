// Package programs builds the programs in the test bed's images and the tools: programs of other projects from their
// modules, and programs of this project.
package programs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// Program is one or more programs of a module, built together. They are static, because the images have no C library.
type Program struct {
	Name     string
	Module   string   // built from a generated go.mod, which requires Module at Version
	Version  string   // for a program in Dir: an input of the build
	Like     string   // a module of this project whose versions are used, so that shared packages are compiled once
	Main     string   // a main package that replaces the one of Module, which links too much
	Dir      string   // a module of this project
	Packages []string // import paths, or ./paths in Dir
	Output   string   // the name of the file, if it is not the last element of the package's path
	LDFlags  string
	Tags     string
	Sources  []string // files and directories in Dir that are inputs of the build
	Links    []string // further names of the program, which depends on the name by which it is called
}

// Files returns the names of the programs.
func (p Program) Files() []string {
	if p.Output != "" {
		return []string{p.Output}
	}
	var names []string
	for _, pkg := range p.Packages {
		names = append(names, path.Base(pkg))
	}
	return names
}

// Step returns the step that builds p into dir/bin.
func (p Program) Step(dir string) steps.Step {
	return steps.Step{
		Name: p.Name, Lane: "go",
		Inputs: func() (string, error) {
			sources := make([]string, len(p.Sources))
			for i, source := range p.Sources {
				sources[i] = filepath.Join(p.Dir, source)
			}
			if p.Like != "" {
				sources = append(sources, filepath.Join(p.Like, "go.mod"))
			}
			digest, err := steps.DigestFiles(sources...)
			return steps.Digest(digest, p.Module, p.Version, p.Main, strings.Join(p.Packages, " "), p.Output, p.LDFlags, p.Tags), err
		},
		Present: func(context.Context, string) bool {
			for _, name := range p.Files() {
				if _, err := os.Stat(filepath.Join(dir, "bin", name)); err != nil {
					return false
				}
			}
			return true
		},
		Make: func(ctx context.Context, _ string, log io.Writer) (string, error) { return p.build(ctx, dir, log) },
	}
}

func (p Program) build(ctx context.Context, dir string, log io.Writer) (string, error) {
	source, mod := p.Dir, "readonly"
	if p.Module != "" {
		source, mod = filepath.Join(dir, "modules", p.Name), "mod"
		if err := p.writeModule(source); err != nil {
			return "", err
		}
	}
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	out := bin + string(filepath.Separator) // a directory, for several programs
	if p.Output != "" {
		out = filepath.Join(bin, p.Output)
	}
	args := append([]string{"build", "-mod=" + mod, "-trimpath", "-buildvcs=false", // so that commits do not change the product
		"-tags", p.Tags, "-ldflags", "-s -w " + p.LDFlags, "-o", out},
		p.Packages...)
	// With less frequent garbage collection the build takes a tenth less time.
	cmd := shell.Cmd{Dir: source, Env: []string{"CGO_ENABLED=0", "GOWORK=off", "GOGC=400"}, Log: log}
	if err := cmd.Run(ctx, "go", args...); err != nil {
		return "", err
	}
	for _, link := range p.Links {
		_ = os.Remove(filepath.Join(bin, link))
		if err := os.Symlink(p.Files()[0], filepath.Join(bin, link)); err != nil {
			return "", err
		}
	}
	var files []string
	for _, name := range p.Files() {
		files = append(files, filepath.Join(bin, name))
	}
	return steps.DigestFiles(files...)
}

// writeModule writes a module that selects the versions for `go build`. `go install MODULE@VERSION` would reject
// modules with replace lines.
func (p Program) writeModule(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	module := fmt.Sprintf("module testbed.invalid/%s\n\ngo 1.26.0\n\nrequire %s %s\n", p.Name, p.Module, p.Version)
	if p.Like != "" {
		likes, err := os.ReadFile(filepath.Join(p.Like, "go.mod"))
		if err != nil {
			return err
		}
		_, versions, ok := strings.Cut(string(likes), "\nrequire ") // skips the module's name
		if !ok {
			return fmt.Errorf("%s requires nothing", p.Like)
		}
		module += "\nrequire " + versions
	}
	files := map[string]string{"go.mod": module, "go.sum": ""} // sums of another version do not match; go writes new ones
	if p.Main != "" {
		files["main.go"] = p.Main
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ModuleDir returns the directory of a module in the module cache. It downloads the module if necessary.
func ModuleDir(ctx context.Context, module, version string, log io.Writer) (string, error) {
	cmd := shell.Cmd{Dir: os.TempDir(), Env: []string{"GOWORK=off", "GOFLAGS=-mod=mod"}, Log: log}
	if err := cmd.Run(ctx, "go", "mod", "download", module+"@"+version); err != nil {
		return "", err
	}
	cache, err := cmd.Output(ctx, "go", "env", "GOMODCACHE")
	if err != nil {
		return "", err
	}
	return filepath.Join(strings.TrimSpace(cache), module+"@"+version), nil // all module paths used here are lower-case
}
