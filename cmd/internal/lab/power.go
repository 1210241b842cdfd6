package lab

import (
	"context"
	"slices"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// Start starts a stopped cluster, repairs a broken one, and returns it once it is
// ready, its addons included. Errors are those of [providers.Set.Start], of the probe and
// of [addons.Checker].
func (l *Lab) Start(ctx context.Context, name string, report providers.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(r state.Record) error {
		if err := l.start(ctx, name, r.Identity != "", report); err != nil {
			return err
		}
		return l.awaitAddons(ctx, r, report.For(name))
	})
}

// Stop stops the cluster and keeps everything in it. Errors are those of
// [providers.Set.Stop].
func (l *Lab) Stop(ctx context.Context, name string, report providers.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(r state.Record) error {
		return report.For(name).Do("Stopping the cluster", func(*providers.Step) error {
			return l.Set.Stop(ctx, refOf(r))
		})
	})
}

// change does something to a cluster that was made completely, while no other lab
// works on it, and returns the cluster as it is then.
func (l *Lab) change(ctx context.Context, name string, report providers.Reporter, do func(state.Record) error) (Cluster, error) {
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
	r, err := l.made(ctx, name)
	if err == nil {
		err = do(r)
	}
	if err != nil {
		return Cluster{}, err
	}
	return l.Status(ctx, name)
}

// start does nothing that is done already. The cluster's address may change, so
// where merge is true the user's kubeconfig is brought up to date. The caller holds
// the lock.
func (l *Lab) start(ctx context.Context, name string, merge bool, report providers.Reporter) error {
	r, err := l.State.Get(name)
	if err != nil {
		return err
	}
	if err := l.Set.Start(ctx, refOf(r), report); err != nil {
		return err
	}
	return l.resume(ctx, name, merge, report)
}

// resume waits until a started cluster is ready. The caller holds the lock.
func (l *Lab) resume(ctx context.Context, name string, merge bool, report providers.Reporter) error {
	r, err := l.State.Get(name)
	if err != nil {
		return err
	}
	config, err := l.Set.Kubeconfig(ctx, refOf(r))
	if err != nil {
		return err
	}
	if err := l.ready(ctx, r, config, report.For(name)); err != nil {
		return &providers.Error{Op: "start", Provider: r.Flavor, Cluster: name, Err: err}
	}
	return l.enter(ctx, r, config, merge)
}

// made returns the record of a cluster that was made completely.
func (l *Lab) made(ctx context.Context, name string) (state.Record, error) {
	r, err := l.find(ctx, name)
	if err == nil && r.Phase != state.PhaseCreated {
		err = providers.WithHint(
			providers.Errorf(providers.ErrUnavailable, "cluster %q is half-made: its creation or removal was interrupted", name),
			"lab up %s makes it anew; lab down %s removes what is left", name, name)
	}
	return r, err
}

// filesOf returns the kubeconfig files that may name the cluster: those of now, and
// the one that was used when it was made.
func (l *Lab) filesOf(r state.Record) kubeconfig.Files {
	files := l.Kubeconfig
	if r.KubeconfigPath == "" {
		return files
	}
	if !slices.Contains(files.Paths, r.KubeconfigPath) {
		files.Paths = append(slices.Clone(files.Paths), r.KubeconfigPath)
	}
	return files
}
