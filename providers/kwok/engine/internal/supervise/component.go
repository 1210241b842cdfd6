// Package supervise runs the components of a program in one process. It starts each component when those
// that it needs are ready, and stops it before them.
package supervise

import (
	"context"
	"time"
)

// Component is a part of a program.
type Component struct {
	// Name is unique. Errors contain it.
	Name string
	// Step describes its start for users, such as "Starting etcd". If it is "", the start is not reported.
	Step string
	// Needs are the names of components that must be ready before this one starts. They are stopped after
	// this one has ended.
	Needs []string
	// Run runs the component until ctx is cancelled, and calls ready when others may use it. An error
	// after ctx was cancelled is not a failure.
	Run func(ctx context.Context, ready func()) error
	// Task is true for a component that ends by itself: it is ready when Run returns nil. Any other
	// component that returns before ctx is cancelled has failed.
	Task bool
	// Grace is how long to wait for Run to return after ctx is cancelled; then the component is abandoned.
	// 0 means no limit.
	Grace time.Duration
}

// State is the state of a step.
type State string

// The states of a step, in their order. A step that fails has no StateDone; the error of Run is the
// reason.
const (
	StateStarted State = "started"
	StateDone    State = "done"
)

// Report is called for each state of a step, from several goroutines in parallel.
type Report func(step string, state State)
