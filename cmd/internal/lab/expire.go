package lab

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
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
	return l.change(ctx, name, nil, func(state.Record) error { return l.expire(name, ttl) })
}

// Due returns the names of what [Lab.Collect] would remove now. It asks no tool, and so
// costs next to nothing.
func (l *Lab) Due() []string {
	records, _ := l.State.List() // what cannot be read is not removed
	var names []string
	for _, r := range records {
		if l.over(r) {
			names = append(names, r.Name)
		}
	}
	return append(names, l.State.Abandoned()...)
}

// Collect removes the clusters whose time is over, and those of a `lab run` that did not
// live to remove them; never one that lab did not make, nor one that a `lab run` uses.
// One that cannot be removed does not save the others.
func (l *Lab) Collect(ctx context.Context, report providers.Reporter) error {
	var errs []error
	for _, name := range l.Due() {
		errs = append(errs, l.collect(ctx, name, l.over, report))
	}
	return errors.Join(errs...)
}

// collect removes one cluster if it is over. Another lab may have removed it meanwhile,
// or given it more time.
func (l *Lab) collect(ctx context.Context, name string, over func(state.Record) bool, report providers.Reporter) error {
	unlock, err := l.State.Lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	r, err := l.State.Get(name)
	switch {
	case errors.Is(err, providers.ErrNotFound) && !l.State.Used(name):
		return l.State.Delete(name)
	case errors.Is(err, providers.ErrNotFound):
		return nil
	case err != nil:
		return err
	case !over(r):
		return nil
	}
	return report.For(name).Do("Deleting the cluster, whose time is over", func(step *providers.Step) error {
		return l.remove(ctx, name, step)
	})
}

// over tells whether a cluster is to be removed.
func (l *Lab) over(r state.Record) bool { return r.Expired(l.Now()) && !l.State.Used(r.Name) }

// expire records when the cluster's time is over; 0 means never. The caller holds the
// lock.
func (l *Lab) expire(name string, ttl time.Duration) error {
	r, err := l.State.Get(name)
	if err != nil {
		return err
	}
	r.ExpiresAt = nil
	if ttl > 0 {
		r.ExpiresAt = l.after(ttl)
	}
	return l.State.Put(r)
}

func (l *Lab) after(ttl time.Duration) *time.Time {
	t := l.Now().UTC().Add(ttl).Truncate(time.Second)
	return &t
}

func validateTTL(ttl time.Duration) error {
	if ttl == 0 || ttl >= time.Second && ttl <= maxTTL {
		return nil
	}
	err := providers.Errorf(providers.ErrInvalid, "a time to live of %s: must be between a second and ten years", ttl)
	return providers.WithHint(err, "for example --ttl 2h, or --ttl 90m")
}
