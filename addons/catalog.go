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

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers/fault"
)

//go:embed catalog/*.yaml
var embedded embed.FS

//go:embed all:charts/builtin
var builtinCharts embed.FS

// Catalog is a set of addons. The zero value is empty.
type Catalog struct{ addons map[string]Addon }

// Builtin returns the addons of lab's catalog.
func Builtin() (Catalog, error) { return Catalog{}.Read(embedded, "catalog") }

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
	more, err := c.Read(os.DirFS(dir), ".")
	if err != nil {
		return Catalog{}, fmt.Errorf("%s: %w", dir, err)
	}
	for name, a := range more.addons {
		// Relative paths start at the directory of the file.
		if a.Chart.Path != "" && !filepath.IsAbs(a.Chart.Path) {
			a.Chart.Path = filepath.Join(dir, a.Chart.Path)
			more.addons[name] = a
		}
	}
	return more, nil
}

// Read is like ReadDir for any file system.
func (c Catalog) Read(files fs.FS, dir string) (Catalog, error) {
	names, err := fs.Glob(files, dir+"/*.yaml")
	if err != nil {
		return Catalog{}, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return Catalog{}, err
		}
		a, err := c.parse(data)
		if err != nil {
			return Catalog{}, fault.Errorf(fault.ErrInvalid, "%s: %w", name, err)
		}
		c = c.With(a)
	}
	return c, nil
}

// parse reads one addon, which overrides the one of its name in c.
func (c Catalog) parse(data []byte) (Addon, error) {
	var head struct {
		Name  string `json:"name"`
		Chart *Chart `json:"chart"`
	}
	if err := yaml.Unmarshal(data, &head); err != nil {
		return Addon{}, err
	}
	a := c.addons[head.Name]
	if head.Chart != nil {
		a.Chart = Chart{} // replace the whole chart
	}
	if err := yaml.UnmarshalStrict(data, &a); err != nil {
		return Addon{}, err
	}
	return a, a.Validate()
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
