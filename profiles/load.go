package profiles

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const maxExtends = 16

// Parse reads one file, without what it extends. file is its name in problems, and relative paths
// start at its directory. Its error is [Problems].
func Parse(file string, data []byte) (Layer, error) { return parse(file, filepath.Dir(file), data) }

// parse is Parse with another directory for relative paths.
func parse(file, dir string, data []byte) (Layer, error) {
	l := Layer{Origins: Origins{}}
	at, problems := strict.Decode(file, dir, data, &l.Profile)
	for i, a := range l.Addons {
		item := at[fmt.Sprintf("addons[%d]", i)]
		if slices.ContainsFunc(l.Addons[:i], func(b Addon) bool { return b.Name == a.Name && a.Name != "" }) {
			problems = append(problems, Problem{File: file, Line: item.Line, Column: item.Column, Message: fmt.Sprintf("duplicate addon %s", a.Name)})
		}
		at[strict.Join("addons", string(a.Name))] = item
	}
	for path, p := range at {
		l.Origins[path] = fmt.Sprintf("%s:%d", file, p.Line)
	}
	if len(problems) == 0 {
		problems = conflicts(file, l.Profile)
	}
	return l, problems.Err("see an example: lab profile show web; get the schema for your editor: lab profile schema")
}

// conflicts reports settings that no cluster can have together.
func conflicts(file string, p Profile) Problems {
	spec, err := p.Spec()
	if err != nil {
		return nil // reported with its position
	}
	spec.Name = "lab"
	if problem := problemOf(spec); problem != "" {
		return Problems{{File: file, Message: problem}}
	}
	return nil
}

// Load reads a builtin profile or a file, and merges it over all that it extends. It returns
// [Problems], ErrNotFound if there is no such profile, or ErrInvalid if profiles extend each other in
// a cycle.
func Load(ref string) (Layer, error) { return load(ref, nil) }

// LoadFile is Load for the path of a file of any name. base, if not "", replaces what the file
// extends.
func LoadFile(path, base string) (Layer, error) {
	l, err := readFile(path)
	if err != nil {
		return l, err
	}
	return l.above(path, base)
}

// LoadFrom is LoadFile for a file without a path, such as standard input. Relative paths start in the
// current directory.
func LoadFrom(r io.Reader, base string) (Layer, error) {
	const name = "standard input"
	l, err := read(name, ".", r)
	if err != nil {
		return l, err
	}
	return l.above(name, base)
}

// above merges l, which was read from path, over base or else over what it extends.
func (l Layer) above(path, base string) (Layer, error) {
	if base != "" {
		l.Extends, l.Origins["extends"] = base, "--profile"
		return extend(l, base, []string{path})
	}
	return extend(l, relativeTo(path, l.Extends), []string{path})
}

func load(ref string, chain []string) (Layer, error) {
	if slices.Contains(chain, ref) || len(chain) > maxExtends {
		err := fault.Errorf(fault.ErrInvalid, "profiles extend each other in a cycle: %s", strings.Join(append(chain, ref), " -> "))
		return Layer{}, fault.WithHint(err, "remove extends from one of them")
	}
	read := readBuiltin
	if isPath(ref) {
		read = readFile
	}
	l, err := read(ref)
	if err != nil {
		return l, err
	}
	return extend(l, relativeTo(ref, l.Extends), append(slices.Clone(chain), ref))
}

// extend merges l over base and all that base extends.
func extend(l Layer, base string, chain []string) (Layer, error) {
	if base == "" {
		return l, nil
	}
	below, err := load(base, chain)
	if err != nil {
		if where := l.Origins["extends"]; errors.Is(err, fault.ErrNotFound) && where != "--profile" {
			err = fault.WithHint(fmt.Errorf("%s: %w", where, err), "%s", fault.HintOf(err))
		}
		return l, err
	}
	return below.Under(l), nil
}

// isPath reports whether ref is the path of a file, not the name of a builtin profile.
func isPath(ref string) bool {
	return strings.ContainsAny(ref, `/\`) || strings.HasSuffix(ref, ".yaml") || strings.HasSuffix(ref, ".yml")
}

// relativeTo returns the profile that the file from refers to as ref.
func relativeTo(from, ref string) string {
	if ref == "" || !isPath(ref) || filepath.IsAbs(ref) {
		return ref
	}
	return filepath.Join(dirOf(from), ref)
}

// dirOf returns the directory where relative paths of a file start: its own, or the current one for a
// pipe such as /dev/fd/63.
func dirOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "."
	}
	return filepath.Dir(path)
}

func readFile(path string) (Layer, error) {
	f, err := os.Open(path)
	if err != nil {
		return Layer{}, unreadable(path, err)
	}
	defer func() { _ = f.Close() }()
	return read(path, dirOf(path), f)
}

// read reads a file, up to the limit: a larger one may not be a profile.
func read(path, dir string, r io.Reader) (Layer, error) {
	data, err := io.ReadAll(io.LimitReader(r, strict.MaxSize+1))
	if err != nil {
		return Layer{}, unreadable(path, err)
	}
	return parse(path, dir, data)
}

func unreadable(path string, err error) error {
	kind := fault.ErrUnavailable
	if errors.Is(err, os.ErrNotExist) {
		kind = fault.ErrNotFound
	}
	return fault.WithHint(fault.Errorf(kind, "cannot read the profile: %w", err),
		"check that %s exists and that you can read it", path)
}
