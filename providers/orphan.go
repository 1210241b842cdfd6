package providers

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Straggler is implemented by providers whose engines go on for a while with what a lab
// that was killed had asked of them.
type Straggler interface {
	// Straggles is how long, after the last that has come, something may still come.
	Straggles() time.Duration
}

// lookEvery is how often an engine is asked whether something has come.
const lookEvery = 250 * time.Millisecond

// DeleteOrphan is Delete for a cluster whose creation was cut short together with the lab
// that made it: it also removes what comes late of it, and tells step while it waits for
// that. What cannot be removed is tried again for as long: a container that only just comes
// may have a volume or a network in use before it shows. Errors are those of Delete.
func (s *Set) DeleteOrphan(ctx context.Context, ref Ref, step *event.Step) error {
	err := s.Delete(ctx, ref)
	p, unknown := s.Get(ref.Provider)
	straggler, ok := p.(Straggler)
	if unknown != nil || !ok || isFinal(err) {
		return err
	}
	step.Progress("waiting for containers that the engine may still create")
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := time.Now(); time.Since(last) < straggler.Straggles(); {
		select {
		case <-ctx.Done():
			return wrap("delete", p, ref.Name, ctx.Err())
		case <-tick.C:
		}
		switch late := s.Delete(ctx, ref); {
		case late == nil:
			err, last = nil, time.Now()
		case isFinal(late):
			return late
		case !errors.Is(late, fault.ErrNotFound):
			err = late
		case !errors.Is(err, fault.ErrNotFound): // what could not be removed has gone by itself
			err = nil
		}
	}
	return err
}

// isFinal tells whether a removal that failed so need not be tried again.
func isFinal(err error) bool {
	return errors.Is(err, fault.ErrForeign) || errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrInvalid) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
