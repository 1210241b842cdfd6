package clusters

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Expiry deletes clusters whose time to live is over, and the leftovers of killed lab processes.
type Expiry struct{ Clusters *Clusters }

// Extend sets the time to live of a cluster, counted from now; 0 means for ever. It returns
// ErrInvalid if ttl is out of range, and ErrUnavailable if the cluster is half-created.
func (e *Expiry) Extend(ctx context.Context, name string, ttl time.Duration) (output.Cluster, error) {
	if err := validateTTL(ttl); err != nil {
		return output.Cluster{}, err
	}
	i := e.Clusters.Inventory
	h, unlock, err := i.OpenLocked(ctx, name, nil)
	if err != nil {
		return output.Cluster{}, err
	}
	defer unlock()
	// A cluster whose time is over can be extended as long as it exists.
	if err := i.Usable(h.Record, false); err != nil && h.Record.Phase != state.PhaseCreated {
		return output.Cluster{}, err
	}
	if err := expire(h, ttl, i.Now()); err != nil {
		return output.Cluster{}, err
	}
	return e.Clusters.Addons.Status(ctx, h, false)
}

// expire records the time to live of a cluster from now; 0 means for ever. The caller holds the lock.
func expire(h *inventory.Handle, ttl time.Duration, now time.Time) error {
	h.Record.ExpiresAt, h.Record.TTL = nil, ttl
	if ttl > 0 {
		h.Record.ExpiresAt = after(now, ttl)
	}
	return h.Put()
}

func after(now time.Time, ttl time.Duration) *time.Time {
	t := now.UTC().Add(ttl).Truncate(time.Second)
	return &t
}

// Due returns the names of the clusters that [Expiry.Collect] would delete now. It asks no tool.
// Records that cannot be read are problems, and their clusters are not due.
func (e *Expiry) Due() (names []string, problems error) {
	i := e.Clusters.Inventory
	return e.due(func(r state.Record) bool { return i.Over(r) || e.abandoned(r) })
}

// Expired is Due without half-created clusters of dead processes, which the user may want to
// inspect. Every call of lab deletes the expired ones in the background, and gc the rest.
func (e *Expiry) Expired() []string {
	names, _ := e.due(e.Clusters.Inventory.Over)
	return names
}

func (e *Expiry) due(is func(state.Record) bool) (names []string, problems error) {
	store := e.Clusters.Inventory.State
	records, problems := store.List()
	for _, r := range records {
		if is(r) {
			names = append(names, r.Name)
		}
	}
	return append(names, store.Abandoned()...), problems
}

// abandoned reports whether a cluster is half-created or half-deleted and no process works on it.
func (e *Expiry) abandoned(r state.Record) bool {
	store := e.Clusters.Inventory.State
	return r.Phase != state.PhaseCreated && !store.Busy(r.Name) && !store.Used(r.Name)
}

// Collect deletes expired clusters, clusters of a `lab run` whose process is gone, and half-created
// ones of dead processes. It keeps clusters that lab did not create or that a `lab run` uses. If one
// cannot be deleted, it still deletes the others. Errors are those of the removals, and
// ErrUnavailable if the records cannot be read.
func (e *Expiry) Collect(ctx context.Context, report event.Reporter) error {
	names, problems := e.Due()
	errs := []error{problems}
	for _, name := range names {
		errs = append(errs, e.collect(ctx, name, e.Clusters.Inventory.Over, report))
	}
	return errors.Join(errs...)
}

// collect deletes one cluster if it is over or abandoned. The record is read again under the lock:
// another lab process may have deleted or extended the cluster.
func (e *Expiry) collect(ctx context.Context, name string, over func(state.Record) bool, report event.Reporter) error {
	i := e.Clusters.Inventory
	unlock, err := i.State.Lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	h, err := i.OpenRecorded(name)
	switch {
	case errors.Is(err, fault.ErrNotFound) && !i.State.Used(name):
		return i.State.Delete(name)
	case errors.Is(err, fault.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	r, title := h.Record, ""
	switch {
	case over(r) && r.Run:
		title = "Deleting the cluster of a lab run whose process is gone"
	case over(r):
		title = "Deleting the expired cluster"
	case r.Phase == state.PhaseCreated, i.State.Used(name):
		return nil
	case r.Phase == state.PhaseCreating:
		title = "Deleting the leftovers of an interrupted creation"
	default:
		title = "Deleting the leftovers of an interrupted removal"
	}
	return report.For(name).Do(title, func(step *event.Step) error { return e.Clusters.remover().remove(ctx, h, step) })
}

const (
	watchInterval = time.Second // between two looks at the record
	watchRetry    = time.Minute // after a removal that failed: a tool that is down stays down for a while
)

// Watch deletes a cluster when its time to live is over, and returns when the cluster is gone or has
// no end. It returns at once if another process watches the cluster. If the removal fails, Watch
// repeats it until ctx ends.
func (e *Expiry) Watch(ctx context.Context, name string) error {
	store := e.Clusters.Inventory.State
	release, err := store.Watch(name)
	if errors.Is(err, fault.ErrExists) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	end := &deadline{now: e.Clusters.Inventory.Now}
	over := func(r state.Record) bool { return end.over(r) && !store.Used(name) }
	for {
		r, err := store.Get(name)
		switch {
		case errors.Is(err, fault.ErrNotFound), err == nil && r.ExpiresAt == nil:
			return nil
		case err != nil:
			return err
		}
		wait := watchInterval
		if over(r) && e.collect(ctx, name, over, nil) != nil {
			wait = watchRetry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// deadline is the end of a cluster's time on two clocks: the wall clock, which runs while the machine
// sleeps, and the monotonic clock, which cannot be set back.
type deadline struct {
	now  func() time.Time
	wall time.Time // as recorded
	mono time.Time // the same time with the monotonic reading of the first look at it
}

func (d *deadline) over(r state.Record) bool {
	now := d.now()
	if r.ExpiresAt == nil {
		return false
	}
	if !d.wall.Equal(*r.ExpiresAt) {
		d.wall = *r.ExpiresAt
		d.mono = now.Add(d.wall.Sub(now)) // keeps the monotonic reading of now
	}
	return !now.Before(d.wall) || !now.Before(d.mono)
}

// maxTTL is long enough for any use, and far below what overflows a time.Duration (292 years).
const maxTTL = 10 * 365 * 24 * time.Hour

func validateTTL(ttl time.Duration) error {
	if ttl == 0 || ttl >= time.Second && ttl <= maxTTL {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "a time to live of %s: must be between a second and ten years", ttl)
	return fault.WithHint(err, "use a duration such as --ttl 2h or --ttl 90m")
}
