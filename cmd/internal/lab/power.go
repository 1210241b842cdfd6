package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// Start starts a stopped cluster, repairs a broken one, and returns it once it is
// ready as far as level says, with WaitAll its addons included. Errors are those of
// [providers.Set.Start], of the probe and of [addons.Checker].
func (l *Lab) Start(ctx context.Context, name string, level Wait, report event.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(h *handle) error {
		if err := l.start(ctx, h, level, h.record.Identity != "", report); err != nil {
			return err
		}
		if level == WaitAPI || level == WaitNodes {
			return nil
		}
		return l.awaitAddons(ctx, h, report.For(name))
	})
}

// Stop stops the cluster and keeps everything in it. Errors are those of
// [providers.Set.Stop].
func (l *Lab) Stop(ctx context.Context, name string, report event.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(h *handle) error {
		return report.For(name).Do("Stopping the cluster", func(*event.Step) error {
			h.changed()
			return l.Set.Stop(ctx, refOf(h.record))
		})
	})
}

// change calls do for a usable cluster while no other lab process works on it, and returns
// the resulting cluster.
func (l *Lab) change(ctx context.Context, name string, report event.Reporter, do func(*handle) error) (Cluster, error) {
	return l.locked(ctx, name, report, func(h *handle) error {
		if o := l.obstacleOf(h.record, false); o != nil {
			return o.err(name)
		}
		return do(h)
	})
}

// locked is change for what can be done to any cluster that lab recorded.
func (l *Lab) locked(ctx context.Context, name string, report event.Reporter, do func(*handle) error) (Cluster, error) {
	// Asked first, because locking makes a directory, and a name that nobody has
	// should leave none.
	if _, err := l.find(ctx, name); err != nil {
		return Cluster{}, err
	}
	unlock, err := l.lock(ctx, name, report)
	if err != nil {
		return Cluster{}, err
	}
	defer unlock()
	// Read again, because another lab process may have changed it until the lock was free.
	h, err := l.open(ctx, name)
	if err != nil {
		return Cluster{}, err
	}
	if err := do(h); err != nil {
		return Cluster{}, err
	}
	return l.status(ctx, h, false)
}

// bind completes the record of an older lab with the engine in use now, if that has the
// cluster. The caller holds the lock, and writes the record.
func (l *Lab) bind(ctx context.Context, r *state.Record) {
	if !r.Engine.IsZero() {
		return
	}
	ref := refOf(*r)
	engine, err := l.Set.Engine(ctx, r.Flavor, r.Spec)
	if ref.Engine = engine; err != nil || engine.IsZero() {
		return
	}
	if _, err := l.Set.Find(ctx, ref); err == nil {
		r.Engine = engine
	}
}

// start does nothing that is done already. The cluster's address may change, so
// where merge is true the user's kubeconfig is brought up to date. The caller holds
// the lock.
func (l *Lab) start(ctx context.Context, h *handle, level Wait, merge bool, report event.Reporter) error {
	h.changed()
	if err := l.Set.Start(ctx, refOf(h.record), report); err != nil {
		return err
	}
	return l.resume(ctx, h, level, merge, report)
}

// resume waits until a started cluster is ready. The caller holds the lock.
func (l *Lab) resume(ctx context.Context, h *handle, level Wait, merge bool, report event.Reporter) error {
	l.bind(ctx, &h.record)
	return l.awaitReady(ctx, h, level, merge, report)
}

// awaitReady waits until a running cluster is ready, records its parts, and adds it to the
// user's kubeconfig if merge is true.
func (l *Lab) awaitReady(ctx context.Context, h *handle, level Wait, merge bool, report event.Reporter) error {
	c, err := h.cluster(ctx)
	if err != nil {
		return err
	}
	config, err := h.kubeconfig(ctx)
	if err != nil {
		return err
	}
	r := &h.record
	if gone := providers.Gone(r.Parts, c.Parts); len(gone) > 0 {
		return goneError(*r, gone)
	}
	want := wanted(*r, c, level)
	if err := l.ready(ctx, *r, want, config, report.For(r.Name)); err != nil {
		return withRestart(*r, fmt.Errorf("%s: cluster %q is not ready: %w", r.Flavor, r.Name, err))
	}
	if all := wanted(*r, c, WaitAll); want.Nodes == all.Nodes && want.DNS == all.DNS {
		now := l.Now().UTC()
		r.NotReady, r.ReadyAt = false, &now
	}
	if c.Parts != nil {
		r.Parts = c.Parts
	}
	if err := h.put(); err != nil {
		return err
	}
	return l.enter(ctx, h, merge)
}

// filesOf returns the kubeconfig files that may name the cluster: those of now, and
// those that were used before.
func (l *Lab) filesOf(r state.Record) kubeconfig.Files {
	files := l.Kubeconfig
	if r.KubeconfigPath == "" {
		return files
	}
	files.Paths = slices.Clone(files.Paths)
	for _, path := range append([]string{r.KubeconfigPath}, r.OldPaths...) {
		files.Holders = append(files.Holders, path)
		if !slices.Contains(files.Paths, path) {
			files.Paths = append(files.Paths, path)
		}
	}
	return files
}
