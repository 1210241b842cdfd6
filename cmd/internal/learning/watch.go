package learning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// debounce is how long a watch collects changes before it syncs, because a rollout changes many objects at a time.
	debounce = 300 * time.Millisecond

	// holdTime is how long an exercise must pass before a watch says so.
	holdTime = 3 * time.Second

	// pollInterval is the time between two syncs of an exercise that observes logs or answers, which have no watch, and
	// between two attempts to reach the API server.
	pollInterval = time.Second

	// resyncInterval is the time between two syncs if nothing changes, because a connection can hang without an error.
	resyncInterval = 10 * time.Second

	// syncTimeout is how long a sync may take.
	syncTimeout = 20 * time.Second
)

// watcher watches one exercise.
type watcher struct {
	*Learning
	choice  Choice
	place   place
	changed func(Report, error) error

	signal  chan struct{} // an object has changed
	stop    func()        // ends the watches of the API server
	last    Report        // that was reported
	synced  bool          // last is valid
	failing string        // the problem that was reported last, or ""
	since   time.Time     // since when the exercise passes
}

// Watch checks an exercise whenever an object changes that it observes, until it has passed for [holdTime] or ctx ends,
// and calls changed with each result that differs from the one before. [Report.Holding] marks a pass that is too new. A
// cluster that does not answer is such a result: its error; Watch continues when it answers again. Checks that act do not
// run. Watch returns nil if the exercise passed as far as possible without them, and ErrNotFound if the cluster was
// deleted.
func (l *Learning) Watch(ctx context.Context, c Choice, changed func(Report, error) error) error {
	p, err := l.ready(ctx, c)
	if err != nil {
		return err
	}
	w := &watcher{Learning: l, choice: c, place: p, changed: changed, signal: make(chan struct{}, 1)}
	w.listen(ctx)
	defer func() { w.stop() }()
	for {
		done, err := w.sync(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(w.pause()):
		case <-w.signal:
			sleep(ctx, debounce)
			select {
			case <-w.signal: // the sync will see this change as well
			default:
			}
		}
	}
}

// listen watches the objects of the exercise. It ends earlier watches.
func (w *watcher) listen(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	cluster := w.place.Cluster
	for _, o := range w.choice.Exercise.Watched() {
		all.Go(func() {
			for ctx.Err() == nil {
				_ = cluster.Watch(ctx, o, w.wake) // syncs report the errors of the API server
				sleep(ctx, pollInterval)
			}
		})
	}
	w.stop = func() {
		cancel()
		all.Wait()
	}
}

// wake requests a sync.
func (w *watcher) wake() {
	select {
	case w.signal <- struct{}{}:
	default: // it was requested already
	}
}

// pause returns the time until the next sync if nothing changes.
func (w *watcher) pause() time.Duration {
	switch {
	case w.failing != "" || w.choice.Exercise.Polled() && w.place.runsPods:
		return pollInterval
	case !w.since.IsZero():
		return max(time.Until(w.since.Add(holdTime)), 0)
	}
	return resyncInterval
}

// sync checks the exercise once. It returns true if the watch is over.
func (w *watcher) sync(ctx context.Context) (done bool, err error) {
	r, err := w.observe(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		w.since = time.Time{}
		return false, w.fail(ctx, err)
	}
	if w.failing != "" {
		w.failing, w.synced = "", false
		w.stop() // the cluster may have another address now
		w.listen(ctx)
	}
	first, failed := r.Results.First()
	switch {
	case failed && first.State != exercises.Pending:
		w.since = time.Time{}
	case w.since.IsZero():
		w.since = time.Now()
	}
	r.Holding = !w.since.IsZero() && time.Since(w.since) < holdTime
	done = !w.since.IsZero() && !r.Holding
	if done && !failed { // otherwise checks that act remain
		if err := w.progress().append(w.result(w.choice, r.Results)); err != nil {
			return true, err
		}
	}
	return done, w.report(r)
}

// observe returns the results of the checks. It returns ErrNotFound if a namespace of the exercise is gone.
func (w *watcher) observe(ctx context.Context) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	if err := w.begun(ctx, w.choice, w.place); err != nil {
		return Report{}, err
	}
	return w.Learning.observe(ctx, w.choice, w.place, 0)
}

// report calls changed with a result that differs from the last one.
func (w *watcher) report(r Report) error {
	if w.synced && reflect.DeepEqual(w.last, r) {
		return nil
	}
	w.last, w.synced = r, true
	return w.changed(r, nil)
}

// fail calls changed with an error that differs from the last one, and opens the cluster again. It returns ErrNotFound if
// the cluster no longer exists.
func (w *watcher) fail(ctx context.Context, err error) error {
	p, openErr := w.open(ctx, w.choice)
	switch {
	case errors.Is(openErr, fault.ErrNotFound):
		return fmt.Errorf("cluster %q was deleted while exercise %s was watched: %w", w.choice.Cluster, w.choice.Exercise.Name, openErr)
	case openErr == nil:
		w.place = p
	default:
		err = openErr
	}
	problem := cmp.Or(fault.HintOf(err), err.Error()) // errors of connections have ports that differ
	if problem == w.failing {
		return nil
	}
	w.failing = problem
	return w.changed(Report{Choice: w.choice}, err)
}

// sleep waits for a time, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
