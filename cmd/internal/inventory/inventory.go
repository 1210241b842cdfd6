// Package inventory finds the clusters that lab manages, decides what state each is in, and opens
// one for a command. The records in package state say which clusters exist; their tools and API
// servers say how they are.
package inventory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// DefaultName is the cluster that commands use if none is named.
const DefaultName = "lab"

// Inventory is the clusters that lab manages. It is safe for concurrent use.
type Inventory struct {
	Set   *providers.Set
	State *state.Store
	Probe Prober
	Now   func() time.Time
}

// Prober asks the API server of a cluster what state the cluster is in. [probe.API] is the real
// one.
type Prober interface {
	Wait(ctx context.Context, kubeconfig []byte, want probe.Want, moved func(string)) error
	Look(ctx context.Context, kubeconfig []byte, want probe.Want) (probe.Report, error)
}

// RefOf returns the identity of a recorded cluster.
func RefOf(r state.Record) providers.Ref {
	return providers.Ref{Provider: r.Flavor, Name: r.Name, ID: r.ID, Mark: r.Spec.Mark, Engine: r.Engine}
}

// Names returns the names of the clusters of one flavor, or of all if flavor is "". Records that
// cannot be read are problems, and do not hide the others.
func (i *Inventory) Names(flavor string) (names []string, problems error) {
	records, problems := i.State.List()
	for _, r := range records {
		if flavor == "" || r.Flavor == flavor {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names, problems
}

// Find returns the record of a cluster. It returns ErrNotFound if there is no such cluster,
// ErrForeign if the cluster is not managed by lab, and ErrInvalid if this lab does not have its
// flavor.
func (i *Inventory) Find(ctx context.Context, name string) (state.Record, error) {
	r, err := i.State.Get(name)
	if err == nil {
		return r, i.HasFlavor(r)
	}
	if !errors.Is(err, fault.ErrNotFound) {
		return r, err
	}
	// The error of a tool that cannot be asked does not matter: lab has no record of the name.
	if err, _ := i.Unmanaged(ctx, name); err != nil {
		return r, err
	}
	err = fault.Errorf(fault.ErrNotFound, "there is no cluster %q", name)
	if names, _ := i.Names(""); len(names) > 0 {
		return r, fault.WithHint(err, "name an existing cluster: %s", strings.Join(names, ", "))
	}
	return r, fault.WithHint(err, "there are no clusters; create one: lab up %s", name)
}

// HasFlavor returns ErrInvalid if this lab does not have the flavor of a cluster, which a newer
// lab may have created.
func (i *Inventory) HasFlavor(r state.Record) error {
	if _, err := i.Set.Get(r.Flavor); err == nil {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "cluster %q is of the flavor %q, which this lab does not have", r.Name, r.Flavor)
	return fault.WithHint(err, "use the lab that created it; if the cluster no longer exists, remove its record: rm -r %s",
		fault.ShellWord(i.State.Dir(r.Name)))
}

// Unmanaged returns ErrForeign if a tool has a cluster of the name. The caller has found no record
// of it. unasked is the error of the tools that could not be asked.
func (i *Inventory) Unmanaged(ctx context.Context, name string, flavors ...string) (foreign, unasked error) {
	all, unasked := i.Set.List(ctx, flavors...)
	for _, c := range all {
		if c.Name == name {
			return i.foreignError(c), unasked
		}
	}
	return nil, unasked
}

// foreignError returns the error of a cluster that lab has no record of. A cluster with a mark was
// created by lab: with another LAB_HOME, or before its record was removed.
func (i *Inventory) foreignError(c providers.Cluster) error {
	err := fault.Errorf(fault.ErrForeign, "there is a %s cluster %q that is not managed by lab", c.Provider, c.Name)
	first := ""
	if c.Mark != "" {
		err = fault.Errorf(fault.ErrForeign, "there is a %s cluster %q that lab created, but %s has no record of it", c.Provider, c.Name, i.State.Dir(c.Name))
		first = "if it was created with another LAB_HOME, use that; otherwise "
	}
	if command := i.Set.RemoveCommand(c.Provider, c.Name); command != "" {
		return fault.WithHint(err, "%schoose another name, or delete the cluster: %s", first, command)
	}
	return fault.WithHint(err, "%schoose another name, or delete the cluster with %s", first, c.Provider)
}

// Lock locks the name for this process. It waits for another lab process until ctx ends: that may
// be creating the cluster that this one needs.
func (i *Inventory) Lock(ctx context.Context, name string, report event.Reporter) (unlock func(), err error) {
	if err := providers.ValidateName(name); err != nil {
		return nil, err
	}
	patient := *i.State
	patient.Patience = time.Hour
	if !i.State.Busy(name) {
		return patient.Lock(ctx, name) // still patient: another process may lock it at this moment
	}
	err = report.For(name).Do("Waiting for another lab process", func(*event.Step) error {
		unlock, err = patient.Lock(ctx, name)
		return err
	})
	return unlock, err
}

// Over reports whether the time to live of a cluster is over and no `lab run` uses the cluster.
func (i *Inventory) Over(r state.Record) bool { return r.Expired(i.Now()) && !i.State.Used(r.Name) }
