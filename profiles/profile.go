// Package profiles reads what people write down of a lab: lab.yaml, and the profiles that
// lab brings along. It is strict, names every problem of a file at once with line and
// column, and knows of each value where it came from.
package profiles

import (
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// APIVersion and Kind stand in every file.
const (
	APIVersion = "lab/v1alpha1"
	Kind       = "Lab"
)

// Profile is one file, or several laid above one another. What is zero is not asked for.
// Its fields are the format, from which [Schema] is made: see [decoder] for the tags. Keys
// that begin with x- are ignored.
type Profile struct {
	APIVersion string  `json:"apiVersion" want:"lab/v1alpha1" doc:"the version of this format"`
	Kind       string  `json:"kind" want:"Lab" doc:"what this file is"`
	Name       Name    `json:"name,omitempty" doc:"the name of the cluster, unless another is given to lab up"`
	Summary    string  `json:"summary,omitempty" doc:"one line: what it is for"`
	Extends    string  `json:"extends,omitempty" doc:"a builtin profile, or the path of a file, below which this one is not repeated"`
	Flavor     string  `json:"flavor,omitempty" doc:"the tool that makes the cluster, such as kind; lab flavors compares them"`
	Cluster    Cluster `json:"cluster,omitzero" doc:"what the cluster is to be"`
	Addons     []Addon `json:"addons,omitempty" doc:"what is put onto it; lab addon list shows what there is"`
	TTL        TTL     `json:"ttl,omitempty" doc:"how long the cluster lives once it is ready, such as 8h"`
}

// Cluster is what the cluster is to be.
type Cluster struct {
	KubernetesVersion Version `json:"kubernetesVersion,omitempty" doc:"such as v1.37.2, v1.37 or latest"`
	Image             string  `json:"image,omitempty" doc:"the node image, in place of the flavor's"`
	Driver            string  `json:"driver,omitempty" doc:"the driver that creates nodes, such as docker or kvm2, if the flavor has drivers"`
	ControlPlanes     int     `json:"controlPlanes,omitempty" max:"5000" doc:"how many control planes"`
	Workers           int     `json:"workers,omitempty" max:"5000" doc:"how many workers beside the control planes, which run workloads too"`
	Ports             []Port  `json:"ports,omitempty" doc:"ports to publish, on 127.0.0.1 unless an address is given"`
	Mounts            []Mount `json:"mounts,omitempty" doc:"host directories in every node; a relative one is so to this file"`
	UnsyncedEtcd      bool    `json:"unsyncedEtcd,omitempty" doc:"keep etcd's writes in memory for a while where the flavor can: quicker, and lost if the machine crashes"`
	Config            File    `json:"config,omitempty" doc:"a file with the tool's own configuration, relative to this one"`
}

// Addon is one addon of a lab: one of the catalogue, or where it has a chart one of the
// file's own. In a file its name alone will do.
type Addon struct {
	Name      Label          `json:"name" need:"true" doc:"the addon's name"`
	Chart     Chart          `json:"chart,omitzero" doc:"where the chart of an addon of your own comes from"`
	Namespace Space          `json:"namespace,omitempty" doc:"where an addon of your own is installed, in place of one of its name"`
	Needs     []Label        `json:"needs,omitempty" doc:"addons that must work before an addon of your own is installed"`
	Provides  []Label        `json:"provides,omitempty" doc:"what an addon of your own serves for others: ingress, on port 80 of the cluster"`
	Values    map[string]any `json:"values,omitempty" doc:"what the chart is told, above what lab tells it"`
}

// Chart says where a chart comes from: a path, an OCI reference, or a repository.
type Chart struct {
	Path       File   `json:"path,omitempty" doc:"a directory or an archive, relative to this file"`
	OCI        string `json:"oci,omitempty" doc:"a reference such as oci://HOST/PATH, without the version"`
	Repository string `json:"repository,omitempty" doc:"the URL of an HTTP repository"`
	Name       string `json:"name,omitempty" doc:"the chart's name in the repository"`
	Version    string `json:"version,omitempty" doc:"the chart's version"`
}

// fromText makes the short form of an addon.
func (a *Addon) fromText(s string) { a.Name = Label(s) }

// problem returns what is wrong with the addon as a whole, or "".
func (a Addon) problem() string {
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
		if problem := c.Source().Problem(); problem != "" {
			return "the chart: " + problem
		}
	}
	return ""
}

// Source returns the chart as addons have it.
func (c Chart) Source() addons.Chart {
	return addons.Chart{Path: string(c.Path), OCI: c.OCI, Repository: c.Repository, Name: c.Name, Version: c.Version}
}

// Spec returns what is asked of the cluster. It returns ErrInvalid where a value is not of
// its form, which no value of a file is.
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
