// Package config reads the user's configuration: what is so on this machine, or behind
// this wall, whatever lab is asked to do.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	apiVersion = "lab/v1alpha1"
	kind       = "Config"

	// pathVariable names the file, in place of the one in the user's directory.
	pathVariable = "LAB_CONFIG"
)

// Config is the user's configuration. What is zero is not configured.
type Config struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Flavor     string            `yaml:"flavor"` // the default
	Images     Images            `yaml:"images"`
	Registries map[string]string `yaml:"registries"` // what is asked in place of a registry, by its host
	CAFile     string            `yaml:"caFile"`     // absolute, once loaded
	Minikube   Minikube          `yaml:"minikube"`
}

// Images are what takes the place of images in the public registries.
type Images struct {
	Kind     KindImages     `yaml:"kind"`
	K3d      K3dImages      `yaml:"k3d"`
	Minikube MinikubeImages `yaml:"minikube"`
	Hello    string         `yaml:"hello"` // a small web server to try a cluster with
}

// KindImages are those of kind.
type KindImages struct {
	Node string `yaml:"node"`
}

// K3dImages are those of k3d.
type K3dImages struct {
	Node         string `yaml:"node"`
	Tools        string `yaml:"tools"`
	LoadBalancer string `yaml:"loadBalancer"`
}

// MinikubeImages are those of minikube.
type MinikubeImages struct {
	Base string `yaml:"base"`
}

// Minikube is what only minikube is told.
type Minikube struct {
	ExtraArgs []string `yaml:"extraArgs"` // of `minikube start`
}

// Load reads the file that $LAB_CONFIG names or else, where there is one, config.yaml in
// dir, and puts above it what the environment says: see [Variables]. It returns
// ErrInvalid where that cannot be understood, and ErrUnavailable where the file cannot
// be read.
func Load(getenv func(string) string, dir string) (Config, error) {
	path := cmp.Or(getenv(pathVariable), filepath.Join(dir, "config.yaml"))
	c, err := read(path, getenv(pathVariable) != "")
	if err != nil {
		return Config{}, err
	}
	if err := c.override(getenv); err != nil {
		return Config{}, err
	}
	if c.CAFile != "" {
		c.CAFile, err = filepath.Abs(c.CAFile)
	}
	return c, err
}

// read reads a file, which must be there if it was named.
func read(path string, named bool) (Config, error) {
	var c Config
	text, err := os.ReadFile(path)
	switch {
	case !named && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		return c, nil
	case errors.Is(err, fs.ErrNotExist):
		return c, fault.WithHint(fault.Errorf(fault.ErrInvalid, "the user configuration: %w", err),
			"make it, or: unset %s", pathVariable)
	case err != nil:
		return c, fault.WithHint(fault.Errorf(fault.ErrUnavailable, "the user configuration: %w", err),
			"see that you can read %s", path)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true) // a key that is misspelt would be silently without effect
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, unfit(path, located(path, text, err)...)
	}
	if c.APIVersion != apiVersion || c.Kind != kind {
		return c, unfit(path, fmt.Sprintf("%s:1:1: it must begin with: apiVersion: %s, kind: %s", path, apiVersion, kind))
	}
	if c.CAFile != "" && !filepath.IsAbs(c.CAFile) {
		c.CAFile = filepath.Join(filepath.Dir(path), c.CAFile) // as whoever wrote it sees it
	}
	return c, nil
}

// unfit is the error of a file with problems.
func unfit(path string, problems ...string) error {
	return fault.WithHint(fault.Errorf(fault.ErrInvalid, "the user configuration: %s", strings.Join(problems, "\n")),
		"correct it, or put it aside: mv %s %s", fault.ShellWord(path), fault.ShellWord(path+".old"))
}
