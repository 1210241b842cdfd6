package profiles

import (
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
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

// Problem implements [strict.Checked].
func (n Name) Problem() string {
	if err := providers.ValidateName(string(n)); err != nil {
		return err.Error()
	}
	return ""
}

// Pattern implements [strict.Checked].
func (Name) Pattern() string { return label }

// Problem implements [strict.Checked].
func (l Label) Problem() string { return addons.NameProblem("addon", string(l), addons.MaxName) }

// Pattern implements [strict.Checked].
func (Label) Pattern() string { return label }

// Problem implements [strict.Checked].
func (s Space) Problem() string {
	return addons.NameProblem("namespace", string(s), addons.MaxNamespace)
}

// Pattern implements [strict.Checked].
func (Space) Pattern() string { return label }

const label = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`

// Problem implements [strict.Checked].
func (v Version) Problem() string {
	return problemOf(providers.Spec{Name: "lab", KubernetesVersion: string(v)})
}

// Pattern implements [strict.Checked].
func (Version) Pattern() string { return `^(v?1\.[0-9]+(\.[0-9]+.*)?|latest)$` }

// Problem implements [strict.Checked].
func (p Port) Problem() string {
	port, err := ParsePort(string(p))
	if err != nil {
		return err.Error()
	}
	return problemOf(providers.Spec{Name: "lab", Ports: []providers.Port{port}})
}

// Pattern implements [strict.Checked].
func (Port) Pattern() string { return `^(.+:)?[0-9]+:[0-9]+(/(tcp|udp|sctp))?$` }

// Problem implements [strict.Checked].
func (m Mount) Problem() string {
	mount, err := ParseMount(string(m), "")
	if err != nil {
		return err.Error()
	}
	return problemOf(providers.Spec{Name: "lab", Mounts: []providers.Mount{mount}})
}

// Pattern implements [strict.Checked].
func (Mount) Pattern() string { return `^.+:/.*$` }

// In implements [strict.Placed].
func (m Mount) In(dir string) string {
	mount, err := ParseMount(string(m), dir)
	if err != nil {
		return string(m) // Problem reports it
	}
	s := mount.Host + ":" + mount.Node
	if mount.ReadOnly {
		s += ":ro"
	}
	return s
}

// Problem implements [strict.Checked].
func (t TTL) Problem() string {
	d, err := time.ParseDuration(string(t))
	if err != nil || d < time.Second {
		return "\"" + string(t) + "\" is not a duration such as 8h or 90m"
	}
	return ""
}

// Pattern implements [strict.Checked].
func (TTL) Pattern() string { return `^([0-9.]+(h|m|s))+$` }

// Duration returns the time, or 0 if there is none.
func (t TTL) Duration() time.Duration {
	d, _ := time.ParseDuration(string(t)) // it was checked before
	return d
}

// In implements [strict.Placed].
func (f File) In(dir string) string {
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
	return fault.FirstLine(err)
}
