// Package reconcile is the loop of a controller: it handles the objects of a queue one after the other,
// and repeats those that failed.
package reconcile

import (
	"context"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/util/workqueue"
)

// Queue contains the keys of objects to handle.
type Queue[K comparable] = workqueue.TypedRateLimitingInterface[K]

// NewQueue returns an empty queue.
func NewQueue[K comparable]() Queue[K] {
	return workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[K](20*time.Millisecond, 10*time.Second))
}

// Run calls look for each key of the queue until ctx is cancelled. It logs errors, and retries after a
// delay that grows to ten seconds.
func Run[K comparable](ctx context.Context, queue Queue[K], look func(context.Context, K) error) {
	defer context.AfterFunc(ctx, queue.ShutDown)()
	for {
		key, over := queue.Get()
		if over {
			return
		}
		if err := look(ctx, key); err != nil && ctx.Err() == nil {
			utilruntime.HandleErrorWithContext(ctx, err, "retrying", "object", key)
			queue.AddRateLimited(key)
		} else {
			queue.Forget(key)
		}
		queue.Done(key)
	}
}
