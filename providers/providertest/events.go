package providertest

import (
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/providers/event"
)

// recorder receives the events of one call.
type recorder struct {
	onStart func(n int) // called when the n-th step starts, counted from one; may be nil

	mu     sync.Mutex
	events []event.Event
	starts int
	closed bool
	late   []event.Event // came after the call had returned
}

func (r *recorder) report(e event.Event) {
	if n := r.add(e); n > 0 && r.onStart != nil {
		r.onStart(n)
	}
}

// add records the event. It returns the number of the step if the event starts one, else 0.
func (r *recorder) add(e event.Event) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.late = append(r.late, e)
		return 0
	}
	r.events = append(r.events, e)
	if e.State != event.Started {
		return 0
	}
	r.starts++
	return r.starts
}

// close records that the call has returned.
func (r *recorder) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// checkLate checks that no event arrived after close.
func (r *recorder) checkLate(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.late {
		t.Errorf("after the call had returned: step %q %s", e.Step, e.State)
	}
}

// checkSteps checks that every started step ended exactly once, and that no event belongs to a
// step that is not running.
func (r *recorder) checkSteps(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	open := map[string]int{} // steps of the same name may run side by side
	for _, e := range r.events {
		switch e.State {
		case event.Started:
			open[e.Step]++
		case event.Progress, event.Done, event.Failed:
			if open[e.Step] == 0 {
				t.Errorf("step %q: %s while it was not under way", e.Step, e.State)
				continue
			}
			if e.State != event.Progress {
				open[e.Step]--
			}
		default:
			t.Errorf("step %q: there is no state %q", e.Step, e.State)
		}
	}
	for step, n := range open {
		if n > 0 {
			t.Errorf("step %q started and never ended", step)
		}
	}
}

// checkFields checks that every event has the fields that a renderer needs.
func (r *recorder) checkFields(t *testing.T, cluster string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starts == 0 {
		t.Error("no step was reported")
	}
	for _, e := range r.events {
		if e.Step == "" || e.Time.IsZero() || e.Elapsed < 0 {
			t.Errorf("event without a step, a time or a sane duration: %+v", e)
		}
		if e.Cluster != "" && e.Cluster != cluster {
			t.Errorf("event of cluster %q, want %q: %+v", e.Cluster, cluster, e)
		}
	}
}
