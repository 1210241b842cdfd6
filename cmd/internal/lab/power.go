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
	return l.change(ctx, name, report, func(r state.Record) error {
		if err := l.start(ctx, name, level, r.Identity != "", report); err != nil {
			return err
		}
		if level == WaitAPI || level == WaitNodes {
			return nil
		}
		return l.awaitAddons(ctx, r, report.For(name))
	})
}

// Stop stops the cluster and keeps everything in it. Errors are those of
// [providers.Set.Stop].
func (l *Lab) Stop(ctx context.Context, name string, report event.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(r state.Record) error {
		return report.For(name).Do("Stopping the cluster", func(*event.Step) error {
			return l.Set.Stop(ctx, refOf(r))
		})
	})
}

// change calls do for a usable cluster while no other lab process works on it, and returns
// the resulting cluster.
func (l *Lab) change(ctx context.Context, name string, report event.Reporter, do func(state.Record) error) (Cluster, error) {
	return l.locked(ctx, name, report, func(r state.Record) error {
		if o := l.obstacleOf(r, false); o != nil {
			return o.err(name)
		}
		return do(r)
	})
}

// locked is change for what can be done to any cluster that lab recorded.
func (l *Lab) locked(ctx context.Context, name string, report event.Reporter, do func(state.Record) error) (Cluster, error) {
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
	r, err := l.find(ctx, name)
	if err == nil {
		err = do(r)
	}
	if err != nil {
		return Cluster{}, err
	}
	return l.status(ctx, name, false)
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
func (l *Lab) start(ctx context.Context, name string, level Wait, merge bool, report event.Reporter) error {
	r, err := l.State.Get(name)
	if err != nil {
		return err
	}
	if err := l.Set.Start(ctx, refOf(r), report); err != nil {
		return err
	}
	return l.resume(ctx, name, level, merge, report)
}

// resume waits until a started cluster is ready. The caller holds the lock.
func (l *Lab) resume(ctx context.Context, name string, level Wait, merge bool, report event.Reporter) error {
	r, err := l.State.Get(name)
	if err != nil {
		return err
	}
	l.bind(ctx, &r)
	c, err := l.Set.Find(ctx, refOf(r))
	if err != nil {
		return err
	}
	config, err := l.Set.Kubeconfig(ctx, refOf(r))
	if err != nil {
		return err
	}
	return l.awaitReady(ctx, r, c, level, config, merge, report)
}

// awaitReady waits until a running cluster is ready, records its parts, and adds it to the
// user's kubeconfig if merge is true.
func (l *Lab) awaitReady(
	ctx context.Context, r state.Record, c providers.Cluster, level Wait, config []byte, merge bool, report event.Reporter,
) error {
	if gone := providers.Gone(r.Parts, c.Parts); len(gone) > 0 {
		return goneError(r, gone)
	}
	want := wanted(r, c, level)
	if err := l.ready(ctx, r, want, config, report.For(r.Name)); err != nil {
		return withRestart(r, fmt.Errorf("%s: cluster %q is not ready: %w", r.Flavor, r.Name, err))
	}
	if all := wanted(r, c, WaitAll); want.Nodes == all.Nodes && want.DNS == all.DNS {
		now := l.Now().UTC()
		r.NotReady, r.ReadyAt = false, &now
	}
	if c.Parts != nil {
		r.Parts = c.Parts
	}
	if err := l.State.Put(r); err != nil {
		return err
	}
	return l.enter(ctx, r, config, merge)
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
