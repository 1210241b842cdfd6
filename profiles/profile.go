// Package profiles reads lab.yaml files and builtin profiles. It rejects unknown keys, reports all
// problems of a file at once with line and column, and records the origin of each value.
package profiles

import (
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/profiles/strict"
	"github.com/clusterlab-dev/lab/providers"
)

// APIVersion and Kind are required in every file.
const (
	APIVersion = "lab/v1alpha1"
	Kind       = "Lab"
)

// Profile is the content of one file, or of several merged ones. Zero values are not requested. Its
// fields define the format and [Schema]: see package strict.
type Profile struct {
	APIVersion string  `json:"apiVersion" want:"lab/v1alpha1" doc:"the version of this format"`
	Kind       string  `json:"kind" want:"Lab" doc:"what this file is"`
	Name       Name    `json:"name,omitempty" doc:"the name of the cluster, unless another is given to lab up"`
	Summary    string  `json:"summary,omitempty" doc:"the purpose, in one line"`
	Extends    string  `json:"extends,omitempty" doc:"a builtin profile or the path of a file; this file overrides it"`
	Flavor     string  `json:"flavor,omitempty" doc:"the tool that creates the cluster, such as kind; lab flavors compares them"`
	Cluster    Cluster `json:"cluster,omitzero" doc:"the cluster"`
	Addons     []Addon `json:"addons,omitempty" doc:"the addons to install; lab addon list shows the catalog"`
	TTL        TTL     `json:"ttl,omitempty" doc:"the time after which the cluster is deleted, from when it is ready, such as 8h"`
}

// Problem is one problem of a file, and Problems the error of a file with at least one.
type (
	Problem  = strict.Problem
	Problems = strict.Problems
)

// Schema returns the JSON schema of a file, for editors. It is generated from [Profile].
func Schema() ([]byte, error) { return strict.Schema[Profile]("lab.yaml") }

// Cluster are the settings of the cluster.
type Cluster struct {
	KubernetesVersion Version `json:"kubernetesVersion,omitempty" doc:"such as v1.37.2, v1.37 or latest"`
	Image             string  `json:"image,omitempty" doc:"the node image; the default is the flavor's"`
	Driver            string  `json:"driver,omitempty" doc:"the driver that creates nodes, such as docker or kvm2, if the flavor has drivers"`
	ControlPlanes     int     `json:"controlPlanes,omitempty" max:"5000" doc:"the number of control planes"`
	Workers           int     `json:"workers,omitempty" max:"5000" doc:"the number of workers; control planes run workloads, too"`
	Ports             []Port  `json:"ports,omitempty" doc:"ports to publish, on 127.0.0.1 unless an address is given"`
	Mounts            []Mount `json:"mounts,omitempty" doc:"host directories to mount in every node; relative paths start at the directory of this file"`
	UnsyncedEtcd      bool    `json:"unsyncedEtcd,omitempty" doc:"delay etcd's writes to disk if the flavor can: faster, but a crash of the machine loses data"`
	Config            File    `json:"config,omitempty" doc:"the tool's own configuration file; a relative path starts at the directory of this file"`
}

// Addon is an addon of the catalog or, with a chart, an addon that the file defines. In a file, the
// name alone is a short form.
type Addon struct {
	Name      Label          `json:"name" need:"true" doc:"the addon's name"`
	Chart     Chart          `json:"chart,omitzero" doc:"the chart, for an addon that is not in the catalog"`
	Namespace Space          `json:"namespace,omitempty" doc:"the namespace, for an addon with a chart; the default is the addon's name"`
	Needs     []Label        `json:"needs,omitempty" doc:"addons that must work before this one is installed, for an addon with a chart"`
	Provides  []Label        `json:"provides,omitempty" doc:"what the addon provides, for an addon with a chart: ingress, on port 80 of the cluster"`
	Values    map[string]any `json:"values,omitempty" doc:"values of the chart; they override lab's"`
}

// Chart is the source of a chart: a path, an OCI reference, or a repository.
type Chart struct {
	Path       File   `json:"path,omitempty" doc:"a directory or an archive; a relative path starts at the directory of this file"`
	OCI        string `json:"oci,omitempty" doc:"a reference such as oci://HOST/PATH, without the version"`
	Repository string `json:"repository,omitempty" doc:"the URL of an HTTP repository"`
	Name       string `json:"name,omitempty" doc:"the chart's name in the repository"`
	Version    string `json:"version,omitempty" doc:"the chart's version"`
}

// Short returns the field that the short form of an addon sets.
func (a *Addon) Short() any { return &a.Name }

// Problem returns what is wrong with the addon as a whole, or "".
func (a Addon) Problem() string {
	c := a.Chart
	own := c != Chart{}
	sources := 0
	for _, s := range []string{string(c.Path), c.OCI, c.Repository} {
		if s != "" {
			sources++
		}
	}
	switch {
	case !own && (a.Namespace != "" || len(a.Needs) > 0 || len(a.Provides) > 0):
		return "namespace, needs and provides require a chart"
	case slices.ContainsFunc(a.Provides, func(what Label) bool { return what != addons.ProvidesIngress }):
		return fmt.Sprintf("provides must be %q", addons.ProvidesIngress)
	case own && sources != 1:
		return "a chart must have exactly one of path, oci and repository"
	case own:
		return c.Source().Problem()
	}
	return ""
}

// Source returns the chart for package addons.
func (c Chart) Source() addons.Chart {
	return addons.Chart{Path: string(c.Path), OCI: c.OCI, Repository: c.Repository, Name: c.Name, Version: c.Version}
}

// Spec returns the requested cluster. It returns ErrInvalid for a value of the wrong form; values of
// a file have been checked.
func (p Profile) Spec() (providers.Spec, error) {
	c := p.Cluster
	s := providers.Spec{
		Name: string(p.Name), KubernetesVersion: string(c.KubernetesVersion), NodeImage: c.Image, Driver: c.Driver,
		ControlPlanes: c.ControlPlanes, Workers: c.Workers, Wants: providers.Wants{UnsyncedEtcd: c.UnsyncedEtcd},
	}
	for _, text := range c.Ports {
		port, err := ParsePort(string(text))
		if err != nil {
			return s, err
		}
		s.Ports = append(s.Ports, port)
	}
	for _, text := range c.Mounts {
		mount, err := ParseMount(string(text), "")
		if err != nil {
			return s, err
		}
		s.Mounts = append(s.Mounts, mount)
	}
	return s, nil
}
