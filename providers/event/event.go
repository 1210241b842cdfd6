// Package event reports progress: work consists of steps, and each step sends events.
package event

import (
	"fmt"
	"sync"
	"time"
)

// Event is one thing that happened to one step of the work on one cluster.
type Event struct {
	Time    time.Time
	Cluster string
	Step    string // for users: "Starting the control plane"
	State   State
	Message string        // what changed, or why it failed; may be empty
	Elapsed time.Duration // since the step started
}

// State says what happened to a step.
type State string

// A step starts, may report progress any number of times, and ends once, done or
// failed.
const (
	Started  State = "started"
	Progress State = "progress"
	Done     State = "done"
	Failed   State = "failed"
	Warning  State = "warning" // a message that stays on the screen, of no step
)

// Reporter receives events as they happen. It must be safe for concurrent use and
// must not block for long. A nil Reporter is valid and drops everything.
type Reporter func(Event)

// For returns a Reporter that fills in the cluster of events that name none.
func (r Reporter) For(cluster string) Reporter {
	if r == nil {
		return nil
	}
	return func(e Event) {
		if e.Cluster == "" {
			e.Cluster = cluster
		}
		r(e)
	}
}

// Start reports that a step began, and returns it. The caller must end it:
//
//	step := report.Start("Starting the control plane")
//	defer func() { step.End(err) }()
func (r Reporter) Start(name string) *Step {
	s := &Step{name: name, report: r, began: time.Now()}
	s.send(Started, "")
	return s
}

// Warn reports something that the user should know and that does not stop the work.
func (r Reporter) Warn(format string, args ...any) {
	if r != nil {
		r(Event{Time: time.Now(), State: Warning, Message: fmt.Sprintf(format, args...)})
	}
}

// Do runs f as one step.
func (r Reporter) Do(name string, f func(*Step) error) error {
	s := r.Start(name)
	err := f(s)
	s.End(err)
	return err
}

// Step is one piece of work in progress. It is safe for concurrent use.
type Step struct {
	name   string
	report Reporter
	began  time.Time

	mu    sync.Mutex
	last  string
	ended bool
}

// Progress reports what changed. It drops a message that equals the one before, so loops may
// call it in every iteration, and a message after End.
func (s *Step) Progress(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || message == s.last {
		return
	}
	s.last = message
	s.send(Progress, message)
}

// End reports that the step is done or, if err is not nil, that it failed. Only the first call
// counts.
func (s *Step) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	if err != nil {
		s.send(Failed, err.Error())
		return
	}
	s.send(Done, "")
}

func (s *Step) send(state State, message string) {
	if s.report == nil {
		return
	}
	now := time.Now()
	s.report(Event{Time: now, Step: s.name, State: state, Message: message, Elapsed: now.Sub(s.began)})
}
