// Package tools installs command-line tools for clusters, such as kubectl, into a directory of lab.
// The catalog has one version of each tool, with checksums. A file with another checksum is not
// installed.
package tools

import (
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers/fault"
)

//go:embed catalog.yaml
var embedded embed.FS

// Tool is a program that can be installed.
type Tool struct {
	Name    string          `json:"name"`
	What    string          `json:"what"`    // its purpose, in a few words
	Version string          `json:"version"` // the version that lab installs: "v1.37.1"
	Ask     []string        `json:"ask"`     // arguments that print the version without a cluster
	Files   map[string]File `json:"files"`   // by platform: "linux/amd64"
}

// File is a release of a tool for one platform.
type File struct {
	URL     string   `json:"url"`
	SHA256  string   `json:"sha256"`           // of the file at URL, in lower-case hexadecimal
	Member  string   `json:"member,omitempty"` // the program in the archive at URL; "" if URL is the program itself
	Sources []string `json:"sources"`          // the files that SHA256 was read in
}

// base returns the name of the file in its URL.
func (f File) base() string { return path.Base(f.URL) }

// Catalog is a list of tools, in the order in which lab shows them.
type Catalog []Tool

// Builtin returns the tools that lab knows.
func Builtin() (Catalog, error) {
	data, err := fs.ReadFile(embedded, "catalog.yaml")
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// Parse reads a catalog. It returns ErrInvalid for unknown, missing and invalid fields.
func Parse(data []byte) (Catalog, error) {
	var c Catalog
	if _, problems := strict.Decode("catalog.yaml", "", data, &c); len(problems) > 0 {
		return nil, fmt.Errorf("cannot read the catalog of tools: %w", problems)
	}
	for _, t := range c {
		if err := t.validate(); err != nil {
			return nil, fault.Errorf(fault.ErrInvalid, "cannot read the catalog of tools: %s: %w", t.Name, err)
		}
	}
	return c, nil
}

// validate finds mistakes in an entry. A tool's name becomes the name of a file.
func (t Tool) validate() error {
	switch {
	case !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(t.Name):
		return fmt.Errorf("invalid name %q", t.Name)
	case !regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(t.Version):
		return fmt.Errorf("invalid version %q", t.Version)
	case t.What == "" || len(t.Ask) == 0:
		return fmt.Errorf("what or ask is missing")
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
		return fmt.Errorf("invalid SHA-256 checksum %q", f.SHA256)
	case (f.Member != "") != (strings.HasSuffix(f.URL, tarball) || strings.HasSuffix(f.URL, zipped)):
		return fmt.Errorf("%s with the member %q: only archives have a member", f.base(), f.Member)
	case len(f.Sources) == 0:
		return fmt.Errorf("sources is missing")
	}
	return nil
}

// Pick returns the tools with these names, or all tools if there are no names. It returns
// ErrNotFound for an unknown name, with the most similar one as a hint.
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
	err := fault.Errorf(fault.ErrNotFound, "lab has no tool %q", name)
	if near := fault.Nearest(name, names); near != "" {
		return Tool{}, fault.WithHint(err, "did you mean %s?", near)
	}
	return Tool{}, fault.WithHint(err, "list the tools: lab tools list")
}
