package supervise

import (
	"context"
	"time"
)

// again is the delay before a failed task is repeated.
const again = 200 * time.Millisecond

// Patient returns the Run of a task that is repeated while passes returns true for its error, for at most
// limit. The task must be idempotent.
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
