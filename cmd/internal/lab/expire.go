package lab

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxTTL is more than anybody needs, and less than what overflows.
const maxTTL = 10 * 365 * 24 * time.Hour

// Extend lets the cluster live for ttl from now on, or for ever where ttl is 0. It
// returns ErrInvalid where ttl makes no sense, and the errors of a command on a cluster
// that is half-made, foreign or not there.
func (l *Lab) Extend(ctx context.Context, name string, ttl time.Duration) (Cluster, error) {
	if err := validateTTL(ttl); err != nil {
		return Cluster{}, err
	}
	return l.locked(ctx, name, nil, func(h *handle) error {
		// One whose time is over is kept by it.
		if o := l.obstacleOf(h.record, false); o != nil && h.record.Phase != state.PhaseCreated {
			return o.err(name)
		}
		return l.expire(h, ttl)
	})
}

// Due returns the names of what [Lab.Collect] would remove now. It asks no tool, and so
// costs next to nothing. Records that cannot be read are problems, and are not removed.
func (l *Lab) Due() (names []string, problems error) {
	return l.due(func(r state.Record) bool { return l.over(r) || l.abandoned(r) })
}

// Expired is Due without half-made clusters of dead processes, which people may want to
// inspect. Every call of lab removes the expired ones in the background, and gc the rest.
func (l *Lab) Expired() []string {
	names, _ := l.due(l.over)
	return names
}

func (l *Lab) due(is func(state.Record) bool) (names []string, problems error) {
	records, problems := l.State.List()
	for _, r := range records {
		if is(r) {
			names = append(names, r.Name)
		}
	}
	return append(names, l.State.Abandoned()...), problems
}

// abandoned tells whether a cluster is half-made or half-removed, and no process works on it.
func (l *Lab) abandoned(r state.Record) bool {
	return r.Phase != state.PhaseCreated && !l.State.Busy(r.Name) && !l.State.Used(r.Name)
}

// Collect removes expired clusters, those of a `lab run` that was killed before it removed
// them, and half-made ones of dead processes. It never removes a cluster that lab did not
// create or that a `lab run` uses. If one cannot be removed, the others still are. Errors
// are those of the removals, and ErrUnavailable if the records cannot be read.
func (l *Lab) Collect(ctx context.Context, report event.Reporter) error {
	names, problems := l.Due()
	errs := []error{problems}
	for _, name := range names {
		errs = append(errs, l.collect(ctx, name, l.over, report))
	}
	return errors.Join(errs...)
}

// collect removes one cluster if it is over. Another lab may have removed it meanwhile,
// or given it more time.
func (l *Lab) collect(ctx context.Context, name string, over func(state.Record) bool, report event.Reporter) error {
	unlock, err := l.State.Lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	h, err := l.recordedHandle(name)
	switch {
	case errors.Is(err, fault.ErrNotFound) && !l.State.Used(name):
		return l.State.Delete(name)
	case errors.Is(err, fault.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	r, title := h.record, ""
	switch {
	case over(r):
		title = "Deleting the expired cluster"
	case r.Phase == state.PhaseCreated, l.State.Used(name):
		return nil
	case r.Phase == state.PhaseCreating:
		title = "Deleting the rest of an interrupted creation"
	default:
		title = "Deleting the rest of an interrupted removal"
	}
	return report.For(name).Do(title, func(step *event.Step) error { return l.remove(ctx, h, step) })
}

// over tells whether a cluster is to be removed.
func (l *Lab) over(r state.Record) bool { return r.Expired(l.Now()) && !l.State.Used(r.Name) }

// expire records when the cluster's time is over; 0 means never. The caller holds the
// lock.
func (l *Lab) expire(h *handle, ttl time.Duration) error {
	h.record.ExpiresAt, h.record.TTL = nil, ttl
	if ttl > 0 {
		h.record.ExpiresAt = l.after(ttl)
	}
	return h.put()
}

func (l *Lab) after(ttl time.Duration) *time.Time {
	t := l.Now().UTC().Add(ttl).Truncate(time.Second)
	return &t
}

func validateTTL(ttl time.Duration) error {
	if ttl == 0 || ttl >= time.Second && ttl <= maxTTL {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "a time to live of %s: must be between a second and ten years", ttl)
	return fault.WithHint(err, "for example --ttl 2h, or --ttl 90m")
}
