// Package reconcile is the loop of a controller: it looks at the objects of a queue
// one after the other, and later again at those where that failed.
package reconcile

import (
	"context"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/util/workqueue"
)

// Queue holds the keys of objects to look at.
type Queue[K comparable] = workqueue.TypedRateLimitingInterface[K]

// NewQueue returns an empty queue.
func NewQueue[K comparable]() Queue[K] {
	return workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[K](20*time.Millisecond, 10*time.Second))
}

// Run looks at every key of the queue until ctx is cancelled. What fails is logged,
// and tried again after a while that grows to ten seconds.
func Run[K comparable](ctx context.Context, queue Queue[K], look func(context.Context, K) error) {
	defer context.AfterFunc(ctx, queue.ShutDown)()
	for {
		key, over := queue.Get()
		if over {
			return
		}
		if err := look(ctx, key); err != nil && ctx.Err() == nil {
			utilruntime.HandleErrorWithContext(ctx, err, "trying again", "object", key)
			queue.AddRateLimited(key)
		} else {
			queue.Forget(key)
		}
		queue.Done(key)
	}
}
