// Package supervise runs the parts of a program in one process: each as soon as
// what it needs is ready, and stopped before what it needs is taken away.
//
// It knows nothing of what the parts do.
package supervise

import (
	"context"
	"time"
)

// Component is one part of a program.
type Component struct {
	// Name is unique, and is what errors call the component by.
	Name string
	// Step says what starting it does, to a person: "Starting etcd". A component
	// without one starts unannounced.
	Step string
	// Needs names the components that must be ready before this one starts. They
	// are stopped only after this one has ended.
	Needs []string
	// Run does the work until ctx is cancelled, and calls ready once others may
	// start to rely on it. An error from a cancelled ctx is not a failure.
	Run func(ctx context.Context, ready func()) error
	// Task is true for work that ends by itself: returning nil makes it ready.
	// Any other component that returns before it was asked to has failed.
	Task bool
	// Grace is how long to wait for Run to return once ctx is cancelled; after it
	// the component is left behind. 0 means as long as it takes.
	Grace time.Duration
}

// State is how far a step is.
type State string

// The states of a step, in the order in which they come. A step that fails ends
// without StateDone; the error of Run tells why.
const (
	StateStarted State = "started"
	StateDone    State = "done"
)

// Report is told of every step. It is called from several goroutines at once.
type Report func(step string, state State)
