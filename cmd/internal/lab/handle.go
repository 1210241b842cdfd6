package lab

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// handle is one cluster while a command works on it. It loads the record, the cluster as its
// tool lists it, the kubeconfig and the catalogue once each, when they are first needed: a
// listing takes several calls of the tool. One goroutine uses it at a time.
type handle struct {
	lab    *Lab
	record state.Record

	live    *providers.Cluster // nil until it is listed, and again after a change
	config  []byte             // nil until it is read, and again after a change
	catalog *addons.Catalog
}

// open returns the handle of a cluster that lab recorded, with the errors of find.
func (l *Lab) open(ctx context.Context, name string) (*handle, error) {
	r, err := l.find(ctx, name)
	return &handle{lab: l, record: r}, err
}

// usable returns the handle of a cluster that commands can use now.
func (l *Lab) usableHandle(ctx context.Context, name string) (*handle, error) {
	h, err := l.open(ctx, name)
	if err != nil {
		return nil, err
	}
	if o := l.obstacleOf(h.record, l.State.Busy(name)); o != nil {
		return nil, o.err(name)
	}
	return h, nil
}

// load returns the handle of a name that may have no cluster yet.
func (l *Lab) load(name string) (*handle, error) {
	r, err := l.State.Get(name)
	if errors.Is(err, fault.ErrNotFound) {
		return &handle{lab: l, record: state.Record{Name: name}}, nil
	}
	if err == nil {
		err = l.hasFlavor(r)
	}
	return &handle{lab: l, record: r}, err
}

// recordedHandle returns the handle of a name that must have a record, with the errors of
// [state.Store.Get].
func (l *Lab) recordedHandle(name string) (*handle, error) {
	r, err := l.State.Get(name)
	return &handle{lab: l, record: r}, err
}

// recorded reports whether the cluster has a record.
func (h *handle) recorded() bool { return h.record.Phase != "" }

// put writes the record.
func (h *handle) put() error { return h.lab.State.Put(h.record) }

// changed forgets the listing and the kubeconfig after a change: nodes are others, and the API
// server may have another address.
func (h *handle) changed() { h.live, h.config = nil, nil }

// cluster returns the cluster as its tool lists it. Errors are those of [providers.Set.Find].
func (h *handle) cluster(ctx context.Context) (providers.Cluster, error) {
	if h.live == nil {
		c, err := h.lab.Set.Find(ctx, refOf(h.record))
		if err != nil {
			return providers.Cluster{}, err
		}
		h.live = &c
	}
	return *h.live, nil
}

// kubeconfig returns the cluster's own kubeconfig. Errors are those of
// [providers.Set.Kubeconfig].
func (h *handle) kubeconfig(ctx context.Context) ([]byte, error) {
	if h.config == nil {
		config, err := h.lab.Set.Kubeconfig(ctx, refOf(h.record))
		if err != nil {
			return nil, err
		}
		h.config = config
	}
	return h.config, nil
}

// addonCatalog returns what [Lab.Catalog] does.
func (h *handle) addonCatalog() (addons.Catalog, error) {
	if h.catalog == nil {
		c, err := h.lab.Catalog()
		if err != nil {
			return c, err
		}
		h.catalog = &c
	}
	return *h.catalog, nil
}

// target returns the cluster in the form that addon installers and checkers take. It returns
// ErrUnavailable where the cluster is stopped.
func (h *handle) target(ctx context.Context) (addons.Cluster, error) {
	c, err := h.cluster(ctx)
	if err != nil {
		return addons.Cluster{}, err
	}
	if c.State == providers.StateStopped {
		err := fault.Errorf(fault.ErrUnavailable, "cluster %q is stopped", h.record.Name)
		return addons.Cluster{}, fault.WithHint(err, "start it: lab start %s", h.record.Name)
	}
	config, err := h.kubeconfig(ctx)
	return addons.Cluster{Kubeconfig: config, Traits: h.record.Traits, Ports: h.record.Spec.Ports}, err
}
