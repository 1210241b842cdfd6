package lab

import (
	"context"
	"errors"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// RemoveAddon takes the addon out of the cluster, and returns what stays and why. It
// returns ErrNotFound where the cluster has no such addon, and ErrInvalid where another
// one needs it.
func (l *Lab) RemoveAddon(ctx context.Context, name, addon string, report providers.Reporter) (kept []addons.Kept, err error) {
	_, err = l.change(ctx, name, report, func(r state.Record) error {
		if _, ok := r.Addons.Get(addon); !ok {
			return l.noAddon(name, addon)
		}
		for _, other := range r.Addons {
			if slices.Contains(other.Addon.Needs, addon) {
				err := providers.Errorf(providers.ErrInvalid, "%s needs %s", other.Addon.Name, addon)
				return providers.WithHint(err, "remove it first: lab addon remove %s --name %s", other.Addon.Name, name)
			}
		}
		_, kept, err = l.takeOut(ctx, r, addon, report.For(name))
		return err
	})
	return kept, err
}

// takeOut takes an addon out of a cluster, and returns the record without it, and what
// stays. The caller holds the lock.
func (l *Lab) takeOut(ctx context.Context, r state.Record, addon string, report providers.Reporter) (state.Record, []addons.Kept, error) {
	target, err := l.target(ctx, r)
	if err != nil {
		return r, nil, err
	}
	var kept []addons.Kept
	err = report.Do("Removing "+addon, func(step *providers.Step) (err error) {
		kept, err = l.Addons.Installer.Remove(ctx, target, addon, step.Progress)
		return err
	})
	// One that never came so far as to be there is gone, too.
	if err != nil && !errors.Is(err, providers.ErrNotFound) {
		return r, kept, err
	}
	r.Addons = r.Addons.Without(addon)
	return r, kept, l.State.Put(r)
}

func (l *Lab) noAddon(name, addon string) error {
	err := providers.Errorf(providers.ErrNotFound, "cluster %q has no addon %q", name, addon)
	return providers.WithHint(err, "lab status %s shows those that it has", name)
}
