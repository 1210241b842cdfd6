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
		target, err := l.target(ctx, r)
		if err != nil {
			return err
		}
		err = report.For(name).Do("Removing "+addon, func(step *providers.Step) error {
			kept, err = l.Addons.Installer.Remove(ctx, target, addon, step.Progress)
			return err
		})
		// One that never came so far as to be there is gone, too.
		if err != nil && !errors.Is(err, providers.ErrNotFound) {
			return err
		}
		r.Addons = r.Addons.Without(addon)
		return l.State.Put(r)
	})
	return kept, err
}

func (l *Lab) noAddon(name, addon string) error {
	err := providers.Errorf(providers.ErrNotFound, "cluster %q has no addon %q", name, addon)
	return providers.WithHint(err, "lab status %s shows those that it has", name)
}
