package docker

import (
	"context"
	"time"
)

// goneFor is how long an engine may not answer, as during a restart, before Insist gives up.
const goneFor = 5 * time.Second

// Insist calls try periodically until it is done, whatever errors it returns. When ctx ends, or
// when the engine does not exist any more, Insist returns the last error: what was to be
// removed still exists.
func Insist(ctx context.Context, every time.Duration, try func() (done bool, err error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last error
	var gone time.Time // since when the engine does not exist
	for {
		done, err := try()
		if done && err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // when ctx has ended, err only says that
		}
		switch {
		case !Gone(err):
			gone = time.Time{}
		case gone.IsZero():
			gone = time.Now()
		case time.Since(gone) > goneFor:
			return err
		}
		select {
		case <-ctx.Done():
			if last == nil {
				last = ctx.Err()
			}
			return last
		case <-tick.C:
		}
	}
}
