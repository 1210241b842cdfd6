package profiles

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// Strings with a syntax.
type (
	Name    string // of a cluster
	Label   string // a DNS label that can be the name of a release: of an addon
	Space   string // a DNS label: of a namespace
	Version string // of Kubernetes
	Port    string // see ParsePort
	Mount   string // see ParseMount
	TTL     string // see time.ParseDuration
	File    string // a path, absolute once it is read
)

// checked is a string that can be invalid.
type checked interface {
	problem() string // what is wrong with it, or ""
	pattern() string // a regular expression for the schema, which may let more through
}

// placed is a string that depends on the directory of its file.
type placed interface{ in(dir string) string }

func (n Name) problem() string {
	if err := providers.ValidateName(string(n)); err != nil {
		return err.Error()
	}
	return ""
}

func (Name) pattern() string { return label }

func (l Label) problem() string { return addons.NameProblem("addon", string(l), addons.MaxName) }

func (Label) pattern() string { return label }

func (s Space) problem() string {
	return addons.NameProblem("namespace", string(s), addons.MaxNamespace)
}

func (Space) pattern() string { return label }

const label = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`

func (v Version) problem() string {
	return problemOf(providers.Spec{Name: "lab", KubernetesVersion: string(v)})
}

func (Version) pattern() string { return `^(v?1\.[0-9]+(\.[0-9]+.*)?|latest)$` }

func (p Port) problem() string {
	port, err := ParsePort(string(p))
	if err != nil {
		return err.Error()
	}
	return problemOf(providers.Spec{Name: "lab", Ports: []providers.Port{port}})
}

func (Port) pattern() string { return `^(.+:)?[0-9]+:[0-9]+(/(tcp|udp|sctp))?$` }

func (m Mount) problem() string {
	mount, err := ParseMount(string(m), "")
	if err != nil {
		return err.Error()
	}
	return problemOf(providers.Spec{Name: "lab", Mounts: []providers.Mount{mount}})
}

func (Mount) pattern() string { return `^.+:/.*$` }

func (m Mount) in(dir string) string {
	mount, err := ParseMount(string(m), dir)
	if err != nil {
		return string(m) // problem reports it
	}
	s := mount.Host + ":" + mount.Node
	if mount.ReadOnly {
		s += ":ro"
	}
	return s
}

func (t TTL) problem() string {
	d, err := time.ParseDuration(string(t))
	if err != nil || d < time.Second {
		return "\"" + string(t) + "\" is not a duration such as 8h or 90m"
	}
	return ""
}

func (TTL) pattern() string { return `^([0-9.]+(h|m|s))+$` }

// Duration returns the time, or 0 if there is none.
func (t TTL) Duration() time.Duration {
	d, _ := time.ParseDuration(string(t)) // it was checked before
	return d
}

func (f File) in(dir string) string {
	if filepath.IsAbs(string(f)) || f == "" {
		return string(f)
	}
	abs, err := filepath.Abs(filepath.Join(dir, string(f)))
	if err != nil {
		return string(f)
	}
	return abs
}

// problemOf returns the first line of what is wrong with a spec.
func problemOf(s providers.Spec) string {
	err := s.WithDefaults().Validate()
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
