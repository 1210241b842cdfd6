package providers

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Straggler is implemented by providers whose engines continue with requests of a lab that was
// killed.
type Straggler interface {
	// Straggles returns how long after the last object another one may still appear.
	Straggles() time.Duration
}

// lookEvery is how often DeleteOrphan looks for objects that appear late.
const lookEvery = 250 * time.Millisecond

// DeleteOrphan is Delete for a cluster whose creation was interrupted together with the lab
// that ran it. It also removes objects that appear late, and reports to step while it waits for
// them. It retries what cannot be removed for as long: a container that only just appears may
// use a volume or a network before it is listed. Errors are those of Delete.
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
		case !errors.Is(err, fault.ErrNotFound): // another program removed it
			err = nil
		}
	}
	return err
}

// isFinal reports whether a removal that failed with err need not be retried.
func isFinal(err error) bool {
	return errors.Is(err, fault.ErrForeign) || errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrInvalid) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
