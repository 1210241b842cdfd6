// Package tools installs what people use beside a cluster, kubectl and its like, into a
// directory of lab's own: each in one version, and nothing that has not the checksum which
// the catalogue has for it.
package tools

import (
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers/fault"
)

//go:embed catalog.yaml
var embedded embed.FS

// Tool is a program that can be installed.
type Tool struct {
	Name    string          `json:"name"`
	What    string          `json:"what"`    // it is for, in a few words
	Version string          `json:"version"` // that lab installs: "v1.37.1"
	Ask     []string        `json:"ask"`     // arguments that make it say its version, without a cluster
	Files   map[string]File `json:"files"`   // by platform: "linux/amd64"
}

// File is a release of a tool for one platform.
type File struct {
	URL     string   `json:"url"`
	SHA256  string   `json:"sha256"`           // of what is at URL, in lower-case hexadecimal
	Member  string   `json:"member,omitempty"` // the program, where URL is an archive; "" where it is the program itself
	Sources []string `json:"sources"`          // where SHA256 was read
}

// base returns the name that people save the file by.
func (f File) base() string { return path.Base(f.URL) }

// Catalog is a list of tools, in the order in which they are shown.
type Catalog []Tool

// Builtin returns the tools that lab knows.
func Builtin() (Catalog, error) {
	data, err := fs.ReadFile(embedded, "catalog.yaml")
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// Parse reads a catalogue. It returns ErrInvalid where something in it is unknown, missing
// or not of its form.
func Parse(data []byte) (Catalog, error) {
	var c Catalog
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "the catalogue of tools: %w", err)
	}
	for _, t := range c {
		if err := t.validate(); err != nil {
			return nil, fault.Errorf(fault.ErrInvalid, "the catalogue of tools: %s: %w", t.Name, err)
		}
	}
	return c, nil
}

// validate looks at what a slip of the hand would break. Names become names of files.
func (t Tool) validate() error {
	switch {
	case !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(t.Name):
		return fmt.Errorf("%q is no name", t.Name)
	case !regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(t.Version):
		return fmt.Errorf("%q is no version", t.Version)
	case t.What == "" || len(t.Ask) == 0:
		return fmt.Errorf("it is not said what it is for, or how it says its version")
	}
	for platform, f := range t.Files {
		if err := f.validate(); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return nil
}

func (f File) validate() error {
	u, err := url.Parse(f.URL)
	switch {
	case err != nil:
		return err
	case u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%q is not https://HOST/FILE", f.URL)
	case !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(f.SHA256):
		return fmt.Errorf("%q is no SHA-256 checksum", f.SHA256)
	case (f.Member != "") != (strings.HasSuffix(f.URL, tarball) || strings.HasSuffix(f.URL, zipped)):
		return fmt.Errorf("%s and the member %q do not fit", f.base(), f.Member)
	case len(f.Sources) == 0:
		return fmt.Errorf("it is not said where its checksum is from")
	}
	return nil
}

// Pick returns the tools of these names, all where there is none. It returns ErrNotFound,
// with the name that is nearest, for one that there is not.
func (c Catalog) Pick(names []string) ([]Tool, error) {
	if len(names) == 0 {
		return c, nil
	}
	var picked []Tool
	for _, name := range names {
		t, err := c.get(name)
		if err != nil {
			return nil, err
		}
		picked = append(picked, t)
	}
	return picked, nil
}

func (c Catalog) get(name string) (Tool, error) {
	var names []string
	for _, t := range c {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	err := fault.Errorf(fault.ErrNotFound, "lab installs no tool %q", name)
	if near := fault.Nearest(name, names); near != "" {
		return Tool{}, fault.WithHint(err, "did you mean %s?", near)
	}
	return Tool{}, fault.WithHint(err, "lab tools list shows those that there are")
}
