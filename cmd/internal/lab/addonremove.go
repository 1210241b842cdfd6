package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// RemoveAddon removes the addon from the cluster, and reports what stays and why. It
// returns ErrNotFound where the cluster has no such addon, and ErrInvalid where another
// one needs it.
func (l *Lab) RemoveAddon(ctx context.Context, name, addon string, report event.Reporter) error {
	_, err := l.change(ctx, name, report, func(h *handle) error {
		r := h.record
		if _, ok := r.Addons.Get(addon); !ok {
			return l.noAddon(name, addon)
		}
		for _, other := range r.Addons {
			if slices.Contains(other.Addon.Needs, addon) {
				err := fault.Errorf(fault.ErrInvalid, "%s needs %s", other.Addon.Name, addon)
				return fault.WithHint(err, "remove it first: lab addon remove %s --name %s", other.Addon.Name, name)
			}
		}
		return l.takeOut(ctx, h, addon, report.For(name))
	})
	return err
}

// takeOut removes an addon from the cluster and its record, and reports what stays. The caller
// holds the lock.
func (l *Lab) takeOut(ctx context.Context, h *handle, addon string, report event.Reporter) error {
	target, err := h.target(ctx)
	if err != nil {
		return err
	}
	r := &h.record
	request, _ := r.Addons.Get(addon)
	var kept []addons.Kept
	err = report.Do("Removing "+addon, func(step *event.Step) error {
		return l.whileAlive(ctx, *r, func(ctx context.Context) (err error) {
			kept, err = l.Addons.Installer.Remove(ctx, target, request.Addon, step.Progress)
			return err
		})
	})
	for _, k := range kept {
		if !k.Own {
			report.Warn("%s stays: %s", k.Object, k.Reason)
			continue
		}
		what := "it"
		if k.Object.Kind == "Namespace" || k.Object.Kind == "CustomResourceDefinition" {
			what = "it with all its objects"
		}
		report.Warn("%s stays: %s. To delete %s: lab kubectl %s -- delete %s", k.Object, k.Reason, what, r.Name, argumentsOf(k.Object))
	}
	// One that was never installed is gone, too.
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return l.lost(ctx, r.Name, target, fmt.Errorf("cannot remove addon %s: %w", addon, err))
	}
	r.Addons = r.Addons.Without(addon)
	delete(r.AddonStates, addon)
	return h.put()
}

// argumentsOf are those that name an object to kubectl.
func argumentsOf(o addons.Object) string {
	text := strings.ToLower(o.Kind) + " " + o.Name
	if o.Namespace != "" {
		text += " --namespace " + o.Namespace
	}
	return text
}

func (l *Lab) noAddon(name, addon string) error {
	err := fault.Errorf(fault.ErrNotFound, "cluster %q has no addon %q", name, addon)
	return fault.WithHint(err, "lab status %s shows those that it has", name)
}
