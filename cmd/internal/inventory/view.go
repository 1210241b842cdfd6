package inventory

import (
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// PortIngress is the port of a node on which an ingress controller serves HTTP.
const PortIngress = 80

// View returns the view of a recorded cluster. live is what its tool reports.
func View(r state.Record, live providers.Cluster) output.Cluster {
	c := output.Unmanaged(live)
	created := r.CreatedAt.UTC()
	c.Name, c.Flavor, c.Context, c.Profile, c.Snapshot = r.Name, r.Flavor, r.Context, r.Profile, r.From
	c.CreatedAt, c.ExpiresAt, c.Managed = &created, r.ExpiresAt, true
	for _, p := range r.Spec.Ports {
		c.Ports = append(c.Ports, p.String())
	}
	for _, m := range r.Spec.Mounts {
		c.Mounts = append(c.Mounts, m.String())
	}
	for _, request := range r.Addons {
		c.Addons = append(c.Addons, AddonView(r, request))
	}
	return c
}

// AddonView returns the view of an addon by the record alone. The state is empty unless the record
// says that the addon is being removed.
func AddonView(r state.Record, q addons.Request) output.Addon {
	a := q.Addon
	v := output.Addon{Name: a.Name, Version: a.Chart.Version, Simulated: !r.Traits.RunsPods, URLs: URLs(r, a), Open: opener(r, a)}
	if q.Removing {
		v.State, v.Reason = addons.StateRemoving, "its removal is not complete"
	}
	return v
}

// URLs returns the addresses of an addon on this machine.
func URLs(r state.Record, a addons.Addon) []string {
	all := []string{}
	if a.Access.Host == "" || !r.Traits.RunsPods || !HasIngress(r) {
		return all
	}
	for _, p := range r.Spec.Ports {
		switch {
		case p.Container == PortIngress && p.Host == 80:
			all = append(all, "http://"+a.Access.Host+a.Access.Path)
		case p.Container == PortIngress:
			all = append(all, fmt.Sprintf("http://%s:%d%s", a.Access.Host, p.Host, a.Access.Path))
		}
	}
	return all
}

// HasIngress reports whether the flavor or an addon serves the published port of the ingress.
func HasIngress(r state.Record) bool {
	return r.Traits.Ingress || slices.ContainsFunc(r.Addons, func(q addons.Request) bool {
		return slices.Contains(q.Addon.Asks.Ports, PortIngress) || slices.Contains(q.Addon.Provides, addons.ProvidesIngress)
	})
}

// opener returns the command that opens an addon without a URL, or "".
func opener(r state.Record, a addons.Addon) string {
	if a.Access.Service == "" || !r.Traits.RunsPods || len(URLs(r, a)) > 0 {
		return ""
	}
	command := "lab open " + a.Name
	if r.Name != DefaultName {
		command += " --name " + r.Name
	}
	return command
}
