package supervise

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// unit is a component at work.
type unit struct {
	Component
	needs  []*unit
	users  []*unit       // who needs this one
	ready  chan struct{} // closed when others may rely on it
	done   chan struct{} // closed when Run has returned, was given up, or never began
	opened sync.Once
}

// Run starts components, each as soon as what it needs is ready, and returns when
// all have ended: after ctx is cancelled (nil), or after one has failed (its
// error). It calls ready once, when every component is ready.
//
// It returns at once an error about a name that is missing, used twice or needed
// in a circle.
func Run(ctx context.Context, components []Component, report Report, ready func()) error {
	units, err := connect(components)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failure := make(chan error, len(units)) // the first in it is the cause of the others

	var all sync.WaitGroup
	for _, u := range units {
		all.Go(func() {
			defer close(u.done)
			if err := u.work(ctx, report); err != nil {
				failure <- fmt.Errorf("%s: %w", u.Name, err)
				cancel()
			}
		})
	}
	all.Go(func() {
		if awaitReady(ctx, units) {
			ready()
		}
	})
	all.Wait()

	select {
	case err := <-failure:
		return err
	default:
		return nil
	}
}

// work waits for what u needs, runs it, and returns why it failed, or nil.
func (u *unit) work(ctx context.Context, report Report) error {
	if !awaitReady(ctx, u.needs) {
		return nil
	}
	if u.Step != "" {
		report(u.Step, StateStarted)
	}
	// The component outlives ctx until those that need it have ended.
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	result := make(chan error, 1)
	go func() {
		err := u.Run(own, func() { u.becameReady(report) })
		if u.Task && err == nil {
			u.becameReady(report)
		}
		result <- err
	}()

	select {
	case err := <-result:
		return u.judge(err)
	case <-ctx.Done():
	}
	for _, user := range u.users {
		<-user.done
	}
	stop()
	u.awaitEnd(result)
	return nil
}

func (u *unit) becameReady(report Report) {
	u.opened.Do(func() {
		close(u.ready)
		if u.Step != "" {
			report(u.Step, StateDone)
		}
	})
}

// judge says whether a component that returned by itself has failed.
func (u *unit) judge(err error) error {
	if err == nil && !u.Task {
		return fmt.Errorf("ended without being asked to")
	}
	return err
}

// awaitEnd waits for a cancelled component, but no longer than its grace.
func (u *unit) awaitEnd(result <-chan error) {
	if u.Grace == 0 {
		<-result
		return
	}
	timer := time.NewTimer(u.Grace)
	defer timer.Stop()
	select {
	case <-result:
	case <-timer.C:
	}
}

// awaitReady reports whether all of units became ready before ctx was cancelled.
func awaitReady(ctx context.Context, units []*unit) bool {
	for _, u := range units {
		select {
		case <-u.ready:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}
