package supervise

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// unit is a running component.
type unit struct {
	Component
	needs  []*unit
	users  []*unit       // the units that need this one
	ready  chan struct{} // closed when others may use it
	done   chan struct{} // closed when Run has returned, was abandoned, or never started
	opened sync.Once
}

// Run starts each component when those that it needs are ready. It returns when all have ended: nil after
// ctx was cancelled, or the error of the component that failed. It calls ready once, when all components
// are ready.
//
// Run returns an error at once if a name is unknown or used twice, or if components need each other in a
// circle.
func Run(ctx context.Context, components []Component, report Report, ready func()) error {
	units, err := connect(components)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failure := make(chan error, len(units)) // the first one causes the others

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

// work waits for the units that u needs, runs u, and returns its error.
func (u *unit) work(ctx context.Context, report Report) error {
	if !awaitReady(ctx, u.needs) {
		return nil
	}
	if u.Step != "" {
		report(u.Step, StateStarted)
	}
	// The component keeps running until those that need it have ended.
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

// becameReady reports first: otherwise a unit that needs u could report its start before u is reported as done.
func (u *unit) becameReady(report Report) {
	u.opened.Do(func() {
		if u.Step != "" {
			report(u.Step, StateDone)
		}
		close(u.ready)
	})
}

// judge returns the error of a component that returned by itself.
func (u *unit) judge(err error) error {
	if err == nil && !u.Task {
		return fmt.Errorf("ended unexpectedly")
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
