package clusteraddons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Remove removes an addon from a cluster, and reports which objects stay and why. It resumes an
// interrupted removal. It returns ErrNotFound if the cluster does not have the addon, and ErrInvalid
// if another addon needs it.
func (s *Addons) Remove(ctx context.Context, name, addon string, report event.Reporter) error {
	h, unlock, err := s.openUsable(ctx, name, report)
	if err != nil {
		return err
	}
	defer unlock()
	if _, ok := h.Record.Addons.Get(addon); !ok {
		return noAddon(name, addon)
	}
	for _, other := range h.Record.Addons {
		if slices.Contains(other.Addon.Needs, addon) {
			err := fault.Errorf(fault.ErrInvalid, "%s needs %s", other.Addon.Name, addon)
			return fault.WithHint(err, "remove it first: lab addon remove %s --name %s", other.Addon.Name, name)
		}
	}
	return s.remove(ctx, h, addon, report.For(name))
}

// remove removes an addon from a cluster and from its record. The caller holds the lock.
func (s *Addons) remove(ctx context.Context, h *inventory.Handle, addon string, report event.Reporter) error {
	target, err := h.Target(ctx)
	if err != nil {
		return err
	}
	// Recorded before the first change, so that status shows an interrupted removal, and the next up
	// finishes it.
	if err := begin(h, addon); err != nil {
		return err
	}
	request, _ := h.Record.Addons.Get(addon)
	var kept []addons.Kept
	var foreign error
	err = report.Do("Removing "+addon, func(step *event.Step) error {
		return s.Inventory.WhileAlive(ctx, h.Record, func(ctx context.Context) (err error) {
			kept, err = s.Tools.Installer.Remove(ctx, target, request.Addon, step.Progress)
			switch {
			case errors.Is(err, fault.ErrNotFound): // it was never installed
				return nil
			case errors.Is(err, fault.ErrForeign) && s.lacks(ctx, target, addon):
				foreign = err
				return nil
			}
			return err
		})
	})
	if foreign != nil {
		report.Warn("%v: it stays, and lab forgets the addon", foreign)
	}
	warn(kept, h.Record.Name, report)
	if err != nil {
		return s.Inventory.Lost(ctx, h.Record.Name, target.Kubeconfig, withoutHooks(err, request.Addon, h.Record.Name))
	}
	h.Record.Addons = h.Record.Addons.Without(addon)
	delete(h.Record.AddonStates, addon)
	return h.Put()
}

// lacks reports whether a cluster has no release of an addon that lab installed. Then there is nothing to remove, although
// another program installed a release of its name.
func (s *Addons) lacks(ctx context.Context, c addons.Cluster, addon string) bool {
	list, err := s.Tools.Installer.List(ctx, c)
	return err == nil && !slices.ContainsFunc(list, func(in addons.Installed) bool { return in.Name == addon })
}

// withoutHooks returns the error of a removal. If a hook prevents the removal, its hint also names the commands that
// remove the addon without its hooks: running the removal again may never help.
func withoutHooks(err error, a addons.Addon, cluster string) error {
	failed := fmt.Errorf("cannot remove addon %s: %w", a.Name, err)
	if _, isHook := errors.AsType[*addons.HookError](err); !isHook {
		return failed
	}
	return fault.WithHint(failed, "%s; or remove the addon without its hooks: lab helm %s -- uninstall %s --namespace %s --no-hooks; then: lab addon remove %s --name %s",
		fault.HintOf(err), cluster, a.Name, a.In(), a.Name, cluster)
}

// begin records that the removal of an addon has begun.
func begin(h *inventory.Handle, addon string) error {
	request, _ := h.Record.Addons.Get(addon)
	if request.Removing {
		return nil
	}
	request.Removing = true
	h.Record.Addons = h.Record.Addons.With(request)
	if h.Record.AddonStates == nil {
		h.Record.AddonStates = map[string]state.AddonState{}
	}
	h.Record.AddonStates[addon] = state.AddonState{State: addons.StateRemoving}
	return h.Put()
}

// warn names the objects that a removal kept, and the commands that delete those of the addon alone.
func warn(kept []addons.Kept, cluster string, report event.Reporter) {
	for _, k := range kept {
		if !k.Own {
			report.Warn("%s stays: %s", k.Object, k.Reason)
			continue
		}
		what := "it"
		if k.Object.Kind == "Namespace" || k.Object.Kind == "CustomResourceDefinition" {
			what = "it with all its objects"
		}
		report.Warn("%s stays: %s. To delete %s: lab kubectl %s -- delete %s", k.Object, k.Reason, what, cluster, argumentsOf(k.Object))
	}
}

// argumentsOf returns the arguments that name an object to kubectl.
func argumentsOf(o addons.Object) string {
	text := strings.ToLower(o.Kind) + " " + o.Name
	if o.Namespace != "" {
		text += " --namespace " + o.Namespace
	}
	return text
}
