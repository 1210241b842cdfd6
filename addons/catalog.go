package addons

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

//go:embed catalog/*.yaml
var embedded embed.FS

//go:embed all:charts/builtin
var builtinCharts embed.FS

// Catalog is a set of addons. The zero value is empty.
type Catalog struct{ addons map[string]Addon }

// Builtin returns the addons of lab's catalog.
func Builtin() (Catalog, error) { return Catalog{}.read(embedded, "catalog", "catalog") }

// BuiltinChart returns the files of a chart that is part of lab, or ErrNotFound.
func BuiltinChart(name string) (fs.FS, error) {
	files, err := fs.Sub(builtinCharts, "charts/builtin/"+name)
	if err == nil {
		_, err = fs.Stat(files, "Chart.yaml")
	}
	if err != nil {
		return nil, fault.Errorf(fault.ErrNotFound, "no builtin chart %q: %w", name, err)
	}
	return files, nil
}

// ReadDir returns c with the addons of the user's directory, one per file *.yaml. An addon with the
// name of one in c overrides it key by key, so that a file of two lines can change the source of a
// chart. A directory that does not exist has no addons. ReadDir returns ErrInvalid, with the file,
// for an invalid addon.
func (c Catalog) ReadDir(dir string) (Catalog, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	return c.read(os.DirFS(dir), ".", dir)
}

// read is ReadDir for any file system, of which shown is the name of dir in problems.
func (c Catalog) read(files fs.FS, dir, shown string) (Catalog, error) {
	names, err := fs.Glob(files, dir+"/*.yaml")
	if err != nil {
		return Catalog{}, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return Catalog{}, err
		}
		a, err := c.parse(filepath.Join(shown, filepath.Base(name)), data)
		if err != nil {
			return Catalog{}, err
		}
		c = c.With(a)
	}
	return c, nil
}

// parse reads the addon of a file, which overrides the one of its name in c. file is its name in problems.
func (c Catalog) parse(file string, data []byte) (Addon, error) {
	var a Addon
	at, problems := strict.Decode(file, filepath.Dir(file), data, &a)
	if old, ok := c.addons[a.Name]; ok {
		if _, ok := at["chart"]; ok {
			old.Chart = Chart{} // replace the whole chart
		}
		_, problems = strict.Decode(file, filepath.Dir(file), data, &old)
		a = old
	}
	if len(problems) == 0 {
		problems = a.problems(file, at)
	}
	if path := a.Chart.Path; path != "" && !filepath.IsAbs(path) {
		a.Chart.Path = filepath.Join(filepath.Dir(file), path) // relative paths start at the directory of the file
	}
	return a, problems.Err(fmt.Sprintf("correct the file, or move it away: mv %s %s", fault.ShellWord(file), fault.ShellWord(file+".old")))
}

// With returns c with more addons, which replace those of the same names.
func (c Catalog) With(more ...Addon) Catalog {
	all := maps.Clone(c.addons)
	if all == nil {
		all = map[string]Addon{}
	}
	for _, a := range more {
		all[a.Name] = a
	}
	return Catalog{all}
}

// All returns the addons by name.
func (c Catalog) All() []Addon {
	return slices.SortedFunc(maps.Values(c.addons), func(a, b Addon) int { return strings.Compare(a.Name, b.Name) })
}

// Get returns the addon, or ErrNotFound.
func (c Catalog) Get(name string) (Addon, error) {
	a, ok := c.addons[name]
	if ok {
		return a, nil
	}
	err := fault.Errorf(fault.ErrNotFound, "addon %q not found", name)
	names := slices.Sorted(maps.Keys(c.addons))
	for _, known := range names {
		if strings.Contains(known, name) && name != "" || strings.HasPrefix(name, known) {
			return Addon{}, fault.WithHint(err, "did you mean %s?", known)
		}
	}
	if near := fault.Nearest(name, names); near != "" {
		return Addon{}, fault.WithHint(err, "did you mean %s?", near)
	}
	return Addon{}, fault.WithHint(err, "list the addons: lab addon list")
}
