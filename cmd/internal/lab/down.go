package lab

import (
	"context"
	"errors"
	"slices"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Down deletes the cluster with all that it left: the user's kubeconfig is as if it
// had never been. Where another program removed the cluster, or took its name, Down
// only forgets it. It returns ErrNotFound where there is none, and ErrForeign where
// lab did not make it.
func (l *Lab) Down(ctx context.Context, name string, report event.Reporter) error {
	if err := providers.ValidateName(name); err != nil {
		return err
	}
	if _, err := l.find(ctx, name); err != nil {
		return err
	}
	unlock, err := l.State.Lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	h, err := l.recordedHandle(name)
	if err != nil {
		return err
	}
	return report.For(name).Do("Deleting the cluster", func(step *event.Step) error { return l.remove(ctx, h, step) })
}

// remove takes away the cluster, its kubeconfig entries and, last, its record, so
// that it can be called again after any failure. The caller holds the lock.
func (l *Lab) remove(ctx context.Context, h *handle, step *event.Step) error {
	return l.takeAway(ctx, h, func(ctx context.Context, ref providers.Ref) error {
		if ref.ID == "" { // a lab was killed while it made it
			return l.Set.DeleteOrphan(ctx, ref, step)
		}
		return l.Set.Delete(ctx, ref)
	})
}

// takeAway is remove by way of one of the ways to delete a cluster.
func (l *Lab) takeAway(ctx context.Context, h *handle, del func(context.Context, providers.Ref) error) error {
	r := h.record
	if err := l.hasFlavor(r); err != nil {
		return err // while the record is as it was, for the lab that has the flavor
	}
	before := r
	r.Phase = state.PhaseDeleting
	// A record that cannot be written must not keep the cluster: removing it may be
	// what gives a full disk room again.
	_ = l.State.Put(r)
	err := del(ctx, refOf(r))
	if errors.Is(err, fault.ErrUnavailable) {
		_ = l.State.Put(before) // the engine could not be asked, so nothing was deleted
		return orForget(err, r)
	}
	// Another cluster of that name is none of lab's business, and its own is gone.
	if err != nil && !errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrForeign) {
		return err
	}
	return l.forget(ctx, r)
}

// orForget adds to the error of an unreachable cluster the command for an engine that no
// longer exists.
func orForget(err error, r state.Record) error {
	if r.Engine.IsZero() {
		return err
	}
	hint := "if that engine is gone for good: lab down " + r.Name + " --forget"
	if first := fault.HintOf(err); first != "" {
		hint = first + "\n" + hint
	}
	return fault.WithHint(err, "%s", hint)
}

// forget removes what lab has of a cluster: its kubeconfig entries and, last, its record.
func (l *Lab) forget(ctx context.Context, r state.Record) error {
	if err := l.filesOf(r).Remove(ctx, r.Context, r.Identity); err != nil {
		return err
	}
	return l.State.Delete(r.Name)
}

// Forget removes the kubeconfig entries and the record of a cluster that lab cannot reach or
// cannot recognize, and deletes nothing else. It returns ErrNotFound where lab made none of
// the name, and ErrInvalid where the cluster exists, since Down can delete that.
func (l *Lab) Forget(ctx context.Context, name string, report event.Reporter) error {
	if _, err := l.State.Get(name); err != nil {
		return err
	}
	unlock, err := l.State.Lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	return report.For(name).Do("Forgetting the cluster", func(*event.Step) error {
		r, err := l.State.Get(name)
		if err != nil {
			return err
		}
		if _, err := l.Set.Find(ctx, refOf(r)); err == nil {
			return fault.WithHint(fault.Errorf(fault.ErrInvalid, "cluster %q exists, and lab can delete it", name), "lab down %s", name)
		}
		return l.forget(ctx, r)
	})
}

// Made returns the names of the clusters that lab made, of one flavor or, where it
// is "", of all. Records that cannot be read are problems, and hide no others.
func (l *Lab) Made(flavor string) (names []string, problems error) {
	records, problems := l.State.List()
	for _, r := range records {
		if flavor == "" || r.Flavor == flavor {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names, problems
}
