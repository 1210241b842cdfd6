package kwok

import (
	"encoding/json"
	"errors"

	"github.com/clusterlab-dev/lab/providers/event"
)

// message is one line that an engine writes to its pipe.
type message struct {
	Step    string
	State   event.State
	Message string
	Ready   bool
	Error   string
}

// tracker turns messages into steps.
type tracker struct {
	report event.Reporter
	open   map[string]*event.Step // the running steps, by name
}

// take reads one line. It ignores a line that it does not understand, because a newer engine may report
// more.
func (t tracker) take(line []byte) message {
	var m message
	if json.Unmarshal(line, &m) != nil || m.Step == "" {
		return m
	}
	step := t.open[m.Step]
	if step == nil {
		step = t.report.Start(m.Step)
		t.open[m.Step] = step
	}
	switch m.State {
	case event.Progress:
		step.Progress(m.Message)
	case event.Done:
		step.End(nil)
		delete(t.open, m.Step)
	case event.Failed:
		step.End(errors.New(m.Message))
		delete(t.open, m.Step)
	}
	return m
}

// endAll ends all running steps.
func (t tracker) endAll(err error) {
	for _, step := range t.open {
		step.End(err)
	}
}
