package inventory

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Handle is one cluster while a command works on it. It loads the record, the listing of the tool
// and the kubeconfig once each, when they are first needed: a listing takes several processes and
// a request to the API server. Only one goroutine may use a Handle at a time.
//
// Two things are looked at again on purpose. A provider lists a cluster itself before it changes or
// deletes it, because another program may have replaced the cluster since. And [Inventory.WhileAlive]
// lists it while lab waits for it.
type Handle struct {
	Record state.Record

	inventory *Inventory
	live      *providers.Cluster // nil until it is listed, and after a change
	config    []byte             // nil until it is read, and after a change
}

// Open returns the handle of a cluster. Errors are those of Find.
func (i *Inventory) Open(ctx context.Context, name string) (*Handle, error) {
	r, err := i.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	return &Handle{inventory: i, Record: r}, nil
}

// OpenUsable is Open for commands that need a cluster which no other lab process creates or
// deletes. It returns ErrUnavailable for any other.
func (i *Inventory) OpenUsable(ctx context.Context, name string) (*Handle, error) {
	h, err := i.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := i.Usable(h.Record, i.State.Busy(name)); err != nil {
		return nil, err
	}
	return h, nil
}

// OpenRecorded returns the handle of a name by its record alone. Errors are those of
// [state.Store.Get].
func (i *Inventory) OpenRecorded(name string) (*Handle, error) {
	r, err := i.State.Get(name)
	if err != nil {
		return nil, err
	}
	return &Handle{inventory: i, Record: r}, nil
}

// OpenOrNew returns the handle of a name that may not have a cluster yet.
func (i *Inventory) OpenOrNew(name string) (*Handle, error) {
	h, err := i.OpenRecorded(name)
	if errors.Is(err, fault.ErrNotFound) {
		return i.New(state.Record{Name: name}), nil
	}
	if err != nil {
		return nil, err
	}
	return h, i.HasFlavor(h.Record)
}

// New returns the handle of a cluster with a record that may not be written yet.
func (i *Inventory) New(r state.Record) *Handle { return &Handle{inventory: i, Record: r} }

// OpenLocked locks the name and returns the handle of its cluster. The caller calls unlock.
func (i *Inventory) OpenLocked(ctx context.Context, name string, report event.Reporter) (h *Handle, unlock func(), err error) {
	// Locking creates a directory, and a name without a cluster must not get one.
	if _, err := i.Find(ctx, name); err != nil {
		return nil, nil, err
	}
	unlock, err = i.Lock(ctx, name, report)
	if err != nil {
		return nil, nil, err
	}
	// The record is read again: another process may have changed it before the lock was free.
	h, err = i.Open(ctx, name)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return h, unlock, nil
}

// Recorded reports whether the cluster has a record.
func (h *Handle) Recorded() bool { return h.Record.Phase != "" }

// Ref returns the identity of the cluster.
func (h *Handle) Ref() providers.Ref { return RefOf(h.Record) }

// Put writes the record.
func (h *Handle) Put() error { return h.inventory.State.Put(h.Record) }

// Changed drops the listing and the kubeconfig. It is called before a change: the cluster then has
// other nodes, and its API server may have another address.
func (h *Handle) Changed() { h.live, h.config = nil, nil }

// Created sets the record and the listing of a cluster that was just created.
func (h *Handle) Created(c providers.Cluster) {
	h.live, h.Record.ID, h.Record.Phase = &c, c.ID, state.PhaseCreated
}

// Relist drops the listing, and keeps the kubeconfig.
func (h *Handle) Relist() { h.live = nil }

// Cluster returns the cluster as its tool lists it. Errors are those of [providers.Set.Find].
func (h *Handle) Cluster(ctx context.Context) (providers.Cluster, error) {
	if h.live != nil {
		return *h.live, nil
	}
	c, err := h.inventory.Set.Find(ctx, h.Ref())
	if err != nil {
		return providers.Cluster{}, err
	}
	h.live = &c
	return c, nil
}

// Kubeconfig returns the cluster's own kubeconfig. Errors are those of
// [providers.Set.Kubeconfig].
func (h *Handle) Kubeconfig(ctx context.Context) ([]byte, error) {
	if h.config != nil {
		return h.config, nil
	}
	config, err := h.inventory.Set.Kubeconfig(ctx, h.Ref())
	if err != nil {
		return nil, err
	}
	h.config = config
	return config, nil
}

// Target returns the cluster in the form that addon installers and checkers take. It returns
// ErrUnavailable if the cluster is stopped.
func (h *Handle) Target(ctx context.Context) (addons.Cluster, error) {
	c, err := h.Cluster(ctx)
	if err != nil {
		return addons.Cluster{}, err
	}
	if c.State == providers.StateStopped {
		err := fault.Errorf(fault.ErrUnavailable, "cluster %q is stopped", h.Record.Name)
		return addons.Cluster{}, fault.WithHint(err, "start it: lab start %s", h.Record.Name)
	}
	config, err := h.Kubeconfig(ctx)
	return addons.Cluster{Kubeconfig: config, Traits: h.Record.Traits, Ports: h.Record.Spec.Ports}, err
}
