// Package config reads the user's configuration: config.yaml, and the environment variables that
// override it. The keys of a flavor come from its adapter, see [providers.Flavor].
package config

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	apiVersion = "lab/v1alpha1"
	kind       = "Config"

	// pathVariable names the file that replaces the one in the user's directory.
	pathVariable = "LAB_CONFIG"

	keyAPIVersion = "apiVersion"
	keyKind       = "kind"
	keyCAFile     = "caFile"
	keyRegistries = "registries"
)

// Config is the user's configuration, without what flavors store themselves. A value that is
// configured nowhere is zero.
type Config struct {
	Flavor     string            // the default flavor
	HelloImage string            // the image of the addon hello
	Registries map[string]string // the mirror to use in place of a registry, by the registry's host
	CAFile     string            // absolute
}

// keys returns the keys of the program itself. registries is not among them: its value is a mapping.
func (c *Config) keys() []providers.Key {
	return []providers.Key{
		{Path: "flavor", Variable: "LAB_FLAVOR", Doc: "the default flavor", Text: &c.Flavor},
		{Path: "images.hello", Variable: "LAB_IMAGES_HELLO", Doc: "the image of the addon hello", Text: &c.HelloImage},
		{Path: keyCAFile, Variable: "LAB_CA_FILE", Doc: "the PEM file of authorities to trust", Text: &c.CAFile},
	}
}

// Keys returns every key whose value is a text or a list: those of the program, then those of the
// flavors in their order.
func Keys(flavors ...providers.Flavor) []providers.Key { return new(Config).allKeys(flavors) }

func (c *Config) allKeys(flavors []providers.Flavor) []providers.Key {
	keys := c.keys()
	for _, f := range flavors {
		keys = append(keys, f.Keys...)
	}
	return keys
}

// values are what a file or the environment sets. Texts and lists are by the path of their key; a
// key that is not configured has no entry.
type values struct {
	texts      map[string]string
	lists      map[string][]string
	registries map[string]string
}

// Load reads the file that $LAB_CONFIG names, or else config.yaml in dir if it exists. Environment
// variables override the file. Load stores the values of the flavors' keys where the keys say. It
// returns ErrInvalid if the configuration is not valid, and ErrUnavailable if the file cannot be
// read; then it stores nothing.
func Load(getenv func(string) string, dir string, flavors ...providers.Flavor) (Config, error) {
	var c Config
	keys := c.allKeys(flavors)
	v := values{texts: map[string]string{}, lists: map[string][]string{}}
	path := cmp.Or(getenv(pathVariable), filepath.Join(dir, "config.yaml"))
	if err := v.readFile(path, getenv(pathVariable) != "", keys); err != nil {
		return Config{}, err
	}
	if err := v.readEnv(getenv, keys); err != nil {
		return Config{}, err
	}
	if file := v.texts[keyCAFile]; file != "" {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return Config{}, err
		}
		v.texts[keyCAFile] = absolute
	}
	c.Registries = v.registries
	for _, key := range keys {
		if list, ok := v.lists[key.Path]; ok {
			*key.List = list
		}
		if text, ok := v.texts[key.Path]; ok {
			*key.Text = text
		}
	}
	return c, nil
}

// readFile reads the file at path. A missing file is an error only if required is true.
func (v *values) readFile(path string, required bool, keys []providers.Key) error {
	text, err := os.ReadFile(path)
	switch {
	case !required && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.WithHint(fault.Errorf(fault.ErrInvalid, "cannot read the user configuration: %w", err),
			"create the file, or use the default one: unset %s", pathVariable)
	case err != nil:
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot read the user configuration: %w", err),
			"make the file readable: chmod u+r %s", fault.ShellWord(path))
	}
	if problems := v.parse(path, text, keys); len(problems) > 0 {
		return fault.WithHint(fault.Errorf(fault.ErrInvalid, "invalid user configuration: %s", strings.Join(problems, "\n")),
			"correct the file, or move it away: mv %s %s", fault.ShellWord(path), fault.ShellWord(path+".old"))
	}
	if file := v.texts[keyCAFile]; file != "" && !filepath.IsAbs(file) {
		v.texts[keyCAFile] = filepath.Join(filepath.Dir(path), file)
	}
	return nil
}

// readEnv overrides v with the environment. An empty variable is not set. LAB_REGISTRIES is a list
// such as "docker.io=registry.corp/docker,quay.io=registry.corp/quay".
func (v *values) readEnv(getenv func(string) string, keys []providers.Key) error {
	for _, key := range keys {
		value := getenv(key.Variable)
		switch {
		case value == "":
		case key.Text != nil:
			v.texts[key.Path] = value
		case strings.TrimSpace(value) != "":
			v.lists[key.Path] = strings.Fields(value)
		}
	}
	list := getenv("LAB_REGISTRIES")
	if list == "" {
		return nil
	}
	v.registries = map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		host, mirror, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || host == "" || mirror == "" {
			return fault.WithHint(fault.Errorf(fault.ErrInvalid, "LAB_REGISTRIES: %q is not HOST=MIRROR", pair),
				"for example: export LAB_REGISTRIES=docker.io=registry.corp/docker")
		}
		v.registries[host] = mirror
	}
	return nil
}
