// Package config reads the user's configuration: config.yaml, and the environment variables that
// override it. The keys of a flavor come from its adapter, see [providers.Flavor].
package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	apiVersion = "lab/v1alpha1"
	kind       = "Config"

	// pathVariable names the file that replaces the one in the user's directory.
	pathVariable = "LAB_CONFIG"
)

// Config is the user's configuration, without what flavors store themselves. A value that is
// configured nowhere is zero.
type Config struct {
	Flavor     string            // the default flavor
	HelloImage string            // the image of the addon hello
	Registries map[string]string // the mirror to use in place of a registry, by the registry's host
	CAFile     string            // absolute
	Cache      string            // "off" if clusters do not use the image cache
}

// keys returns the keys of the program itself. registries is not among them: its value is a mapping.
func (c *Config) keys() []providers.Key {
	return []providers.Key{
		{Path: "flavor", Variable: "LAB_FLAVOR", Doc: "the default flavor", Text: &c.Flavor},
		{Path: "images.hello", Variable: "LAB_IMAGES_HELLO", Doc: "the image of the addon hello", Text: &c.HelloImage},
		{Path: "cache", Variable: "LAB_CACHE", Doc: "off: new clusters do not use the image cache", Text: &c.Cache},
		{Path: "caFile", Variable: "LAB_CA_FILE", Doc: "the PEM file of authorities to trust", Text: &c.CAFile},
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

// Load reads the file that $LAB_CONFIG names, or else config.yaml in dir if it exists. Environment
// variables override the file. Load stores the values of the flavors' keys where the keys say. It
// returns ErrInvalid if the configuration is not valid, and ErrUnavailable if the file cannot be
// read; then it stores nothing.
func Load(getenv func(string) string, dir string, flavors ...providers.Flavor) (Config, error) {
	var c Config
	keys := c.allKeys(flavors)
	mirrors, err := mirrorsOf(getenv("LAB_REGISTRIES"))
	if err != nil {
		return Config{}, err
	}
	path := cmp.Or(getenv(pathVariable), filepath.Join(dir, "config.yaml"))
	if err := c.readFile(path, getenv(pathVariable) != "", keys); err != nil {
		return Config{}, err
	}
	readEnv(getenv, keys)
	if mirrors != nil {
		c.Registries = mirrors
	}
	if err := anonymous(c.Registries); err != nil {
		return Config{}, err
	}
	if c.CAFile != "" {
		c.CAFile, err = filepath.Abs(c.CAFile)
	}
	return c, err
}

// readFile reads the file at path into c.Registries and keys. A missing file is an error only if
// required is true.
func (c *Config) readFile(path string, required bool, keys []providers.Key) error {
	data, err := os.ReadFile(path)
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
	_, problems := strict.Decode(path, filepath.Dir(path), data, c.format(keys))
	hint := fmt.Sprintf("correct the file, or move it away: mv %s %s", fault.ShellWord(path), fault.ShellWord(path+".old"))
	if err := problems.Err(hint); err != nil {
		return fault.WithHint(fmt.Errorf("invalid user configuration: %w", err), "%s", hint)
	}
	if c.CAFile != "" && !filepath.IsAbs(c.CAFile) {
		c.CAFile = filepath.Join(filepath.Dir(path), c.CAFile)
	}
	return nil
}

// format returns the keys that a file may have.
func (c *Config) format(keys []providers.Key) strict.Object {
	format := strict.Object{
		{Key: "apiVersion", Want: apiVersion}, {Key: "kind", Want: kind}, {Key: "registries", Into: &c.Registries},
	}
	for _, key := range keys {
		if key.Text != nil {
			format = append(format, strict.Field{Key: key.Path, Into: key.Text})
		} else {
			format = append(format, strict.Field{Key: key.Path, Into: key.List})
		}
	}
	return format
}

// readEnv overrides keys with the environment. An empty variable is not set.
func readEnv(getenv func(string) string, keys []providers.Key) {
	for _, key := range keys {
		value := getenv(key.Variable)
		switch {
		case value == "":
		case key.Text != nil:
			*key.Text = value
		case strings.TrimSpace(value) != "":
			*key.List = strings.Fields(value)
		}
	}
}

// mirrorsOf reads a list such as "docker.io=registry.corp/docker,quay.io=registry.corp/quay". It returns
// nil for "".
func mirrorsOf(list string) (map[string]string, error) {
	if list == "" {
		return nil, nil
	}
	mirrors := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		host, mirror, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || host == "" || mirror == "" {
			if i := strings.LastIndex(pair, "@"); i >= 0 { // after a password
				pair = "***" + pair[i:]
			}
			return nil, fault.WithHint(fault.Errorf(fault.ErrInvalid, "LAB_REGISTRIES: %q is not HOST=MIRROR", pair),
				"for example: export LAB_REGISTRIES=docker.io=registry.corp/docker")
		}
		mirrors[host] = mirror
	}
	return mirrors, nil
}

// anonymous returns ErrInvalid for a mirror with a user name or a password. Nodes would not use it, and it would be
// visible in the arguments of tools.
func anonymous(mirrors map[string]string) error {
	for _, host := range slices.Sorted(maps.Keys(mirrors)) {
		mirror := mirrors[host]
		if i := strings.Index(mirror, "://"); i >= 0 {
			mirror = mirror[i+len("://"):]
		}
		if strings.Contains(mirror, "@") {
			err := fault.Errorf(fault.ErrInvalid, "the mirror of %s in registries contains a user name or a password, which nodes cannot use", host)
			return fault.WithHint(err, "use a mirror that allows anonymous pulls, and leave out the user: in config.yaml, or export LAB_REGISTRIES=%s=HOST/PATH", host)
		}
	}
	return nil
}
