package ui

import (
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
)

// step is one that has started and, as long as it is among [steps], not ended.
type step struct {
	cluster, name string
	began         time.Time
	message       string // the last progress
}

// title names the step, and its cluster where that is not the one the command is
// about.
func (s *step) title(cluster string) string {
	if s.cluster == "" || s.cluster == cluster {
		return line(s.name)
	}
	return s.cluster + ": " + line(s.name)
}

// steps are those that run, in the order in which they started.
type steps []*step

// apply returns the step that e is about: the oldest of its name, as events do not
// tell two of the same name apart. It adds the step or takes it off as e says.
func (s *steps) apply(e event.Event) *step {
	at := -1
	if e.State != event.Started {
		at = s.index(e)
	}
	if at < 0 { // also where the start was never seen
		*s = append(*s, &step{cluster: e.Cluster, name: e.Step, began: time.Now().Add(-e.Elapsed)})
		at = len(*s) - 1
	}
	found := (*s)[at]
	switch e.State {
	case event.Progress:
		found.message = line(e.Message)
	case event.Done, event.Failed:
		*s = append((*s)[:at], (*s)[at+1:]...)
	}
	return found
}

func (s *steps) index(e event.Event) int {
	for i, running := range *s {
		if running.name == e.Step && running.cluster == e.Cluster {
			return i
		}
	}
	return -1
}

// took returns how long something took, or nothing where a person would not notice.
func took(d time.Duration) string {
	if d <= time.Second {
		return ""
	}
	return Duration(d)
}
