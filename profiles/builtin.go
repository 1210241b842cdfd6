package profiles

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// Names returns the builtin profiles, by name.
func Names() []string {
	files, _ := fs.Glob(builtin, "builtin/*.yaml") // errors only for a bad pattern
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files
}

// readBuiltin returns a builtin profile, without what it extends, or ErrNotFound.
func readBuiltin(name string) (Layer, error) {
	data, err := builtin.ReadFile("builtin/" + name + ".yaml")
	if err == nil {
		return Parse("profile "+name, data)
	}
	err = fault.Errorf(fault.ErrNotFound, "profile %q not found", name)
	if near := fault.Nearest(name, Names()); near != "" {
		return Layer{}, fault.WithHint(err, "did you mean %s?", near)
	}
	return Layer{}, fault.WithHint(err, "use one of %s, or the path of a file: it contains / or ends in .yaml", strings.Join(Names(), ", "))
}
