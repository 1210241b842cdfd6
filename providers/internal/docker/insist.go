package docker

import (
	"context"
	"time"
)

// goneFor is how long an engine may be away, as when it is restarted, before nothing is
// expected of it any more.
const goneFor = 5 * time.Second

// Insist calls try every so often until it is done, whatever errors it met on the way.
// It returns the last of them when ctx ends, or when the engine is gone: what is to be
// removed will then still be there.
func Insist(ctx context.Context, every time.Duration, try func() (done bool, err error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last error
	var gone time.Time // since when there is no engine
	for {
		done, err := try()
		if done && err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // with the end of ctx, try only says that it was cut short
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
