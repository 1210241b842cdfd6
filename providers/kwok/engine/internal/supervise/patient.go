package supervise

import (
	"context"
	"time"
)

// again is how long a task that failed waits before it is done again.
const again = 200 * time.Millisecond

// Patient returns the Run of a task that is done again as long as its error is one that
// passes, until limit is over. The task must not mind what it has done already.
func Patient(limit time.Duration, passes func(error) bool, task func(context.Context, func()) error) func(context.Context, func()) error {
	return func(ctx context.Context, ready func()) error {
		tick := time.NewTicker(again)
		defer tick.Stop()
		for deadline := time.Now().Add(limit); ; {
			err := task(ctx, ready)
			if err == nil || !passes(err) || time.Now().After(deadline) {
				return err
			}
			select {
			case <-ctx.Done():
				return err
			case <-tick.C:
			}
		}
	}
}
