package lab

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	watchInterval = time.Second // how soon it is seen that the cluster is gone, or has more time
	watchRetry    = time.Minute // after a removal that failed: a tool that is down stays so for a while
)

// Watch removes the cluster once its time is over, and returns when it is gone, for
// whatever reason, or is to live for ever. Where another process watches it already
// there is nothing to do. What it cannot remove it tries again, until ctx ends.
func (l *Lab) Watch(ctx context.Context, name string) error {
	release, err := l.State.Watch(name)
	if errors.Is(err, fault.ErrExists) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	end := &deadline{now: l.Now}
	for {
		r, err := l.State.Get(name)
		switch {
		case errors.Is(err, fault.ErrNotFound), err == nil && r.ExpiresAt == nil:
			return nil
		case err != nil:
			return err
		}
		wait := watchInterval
		if end.over(r) && !l.State.Used(name) {
			over := func(r state.Record) bool { return end.over(r) && !l.State.Used(name) }
			if l.collect(ctx, name, over, nil) != nil {
				wait = watchRetry
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// deadline is the end of a cluster's time on both clocks: the one on the wall, which
// goes on while the machine sleeps, and the monotonic one, which nobody can set back.
type deadline struct {
	now  func() time.Time
	wall time.Time // as recorded
	mono time.Time // the same, as it was when it was first seen
}

func (d *deadline) over(r state.Record) bool {
	now := d.now()
	if r.ExpiresAt == nil {
		return false
	}
	if !d.wall.Equal(*r.ExpiresAt) {
		d.wall = *r.ExpiresAt
		d.mono = now.Add(d.wall.Sub(now)) // which keeps the monotonic reading of now
	}
	return !now.Before(d.wall) || !now.Before(d.mono)
}
