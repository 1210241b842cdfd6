package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Progress shows events on stderr. It is safe for concurrent use. It starts no goroutine
// before the first event.
type Progress struct {
	interval time.Duration // between two ticks; 0 for no ticks

	mu      sync.Mutex
	drawer  drawer
	closed  bool
	quit    chan struct{} // closed to stop the ticker; nil until it runs
	stopped chan struct{} // closed by the ticker when it stops
}

// drawer shows progress in one format. Its methods are not called concurrently.
type drawer interface {
	event(event.Event)
	say(kind messageKind, text string)
	tick()
	close() // only say may be called after it
}

// messageKind is the kind of a line that belongs to no step.
type messageKind string

const (
	note    messageKind = "Note"
	warning messageKind = "Warning"
)

// ProgressOptions are options of [NewProgress].
type ProgressOptions struct {
	// Cluster is the cluster of the command. Steps on other clusters are shown with the name of
	// their cluster.
	Cluster string
}

// NewProgress returns a Progress that writes to streams.Err. The caller must call Close
// before it writes to the terminal itself.
func NewProgress(streams *Streams, mode Mode, options ProgressOptions) *Progress {
	out := streams.Err
	mode = mode.on(out)
	if mode == ModeTTY {
		if tty, err := newTTY(out, options.Cluster); err == nil {
			return &Progress{drawer: tty, interval: frame}
		}
		mode = ModePlain // an old console without escape codes
	}
	switch mode {
	case ModeJSON:
		return &Progress{drawer: &jsonLines{out}}
	case ModeQuiet:
		return &Progress{drawer: quiet{}}
	}
	return &Progress{drawer: newPlain(out, options.Cluster), interval: time.Second}
}

// Report shows an event. Its method value is an [event.Reporter]. After Close it does
// nothing.
func (p *Progress) Report(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.quit == nil && p.interval > 0 {
		p.quit, p.stopped = make(chan struct{}), make(chan struct{})
		go p.run(p.quit, p.stopped)
	}
	e.Step, e.Message = fault.Redact(e.Step), fault.Redact(plainWords(e.Message))
	if e.State == event.Warning {
		p.drawer.say(warning, strings.Join(lines(e.Message), " "))
		return
	}
	p.drawer.event(e)
}

// Warn prints a warning on one line. It may be called after Close.
func (p *Progress) Warn(format string, args ...any) { p.say(warning, format, args) }

// Note prints a message for users on one line. Scripts do not need it. It may be called after
// Close.
func (p *Progress) Note(format string, args ...any) { p.say(note, format, args) }

func (p *Progress) say(kind messageKind, format string, args []any) {
	text := strings.Join(lines(fault.Redact(fmt.Sprintf(format, args...))), " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawer.say(kind, text)
}

// Close shows steps that have not ended as unfinished, restores the terminal, and stops the
// ticker. Further calls do nothing.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.drawer.close()
	if p.quit == nil {
		return
	}
	close(p.quit)
	p.mu.Unlock() // the ticker may wait for it
	<-p.stopped
	p.mu.Lock()
}

func (p *Progress) run(quit <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	for {
		select {
		case <-quit:
			return
		case <-ticker.C:
			p.mu.Lock()
			if !p.closed {
				p.drawer.tick()
			}
			p.mu.Unlock()
		}
	}
}

// step is a step that runs.
type step struct {
	cluster, name string
	began         time.Time
	message       string // of the last progress event
}

// title returns the name of the step, with its cluster if that is not the given one.
func (s *step) title(cluster string) string {
	if s.cluster == "" || s.cluster == cluster {
		return line(s.name)
	}
	return s.cluster + ": " + line(s.name)
}

// steps are the steps that run, in the order in which they started.
type steps []*step

// apply adds, updates or removes the step of e, and returns it. If several steps have that
// name, it is the oldest.
func (s *steps) apply(e event.Event) *step {
	at := -1
	if e.State != event.Started {
		at = s.index(e)
	}
	if at < 0 { // also if there was no start event
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

// took formats the duration of a step. It returns "" for a second or less.
func took(d time.Duration) string {
	if d <= time.Second {
		return ""
	}
	return Duration(d)
}

// Mode is the output format of progress. It is a flag value.
type Mode string

// The modes.
const (
	ModeAuto  Mode = "auto"  // tty on an interactive terminal, else plain
	ModeTTY   Mode = "tty"   // lines that are redrawn in place
	ModePlain Mode = "plain" // a line when a step starts and when it ends, for logs
	ModeJSON  Mode = "json"  // an object on each line, for programs
	ModeQuiet Mode = "quiet" // errors only
)

// Set parses s. It returns [fault.ErrInvalid] if s is not a mode.
func (m *Mode) Set(s string) error {
	return choose(m, s, "progress mode", ModeAuto, ModeTTY, ModePlain, ModeJSON, ModeQuiet)
}

// String returns the value of the flag.
func (m *Mode) String() string { return string(*m) }

// Type returns the choices for the help of the flag.
func (m *Mode) Type() string { return "auto|tty|plain|json|quiet" }

// on returns the mode for a stream: auto and "" become tty or plain. In CI it is plain even on
// a terminal, because the log would contain every frame.
func (m Mode) on(out *Stream) Mode {
	switch {
	case m != ModeAuto && m != "":
		return m
	case out.IsTerminal() && !out.env.set("CI") && !out.env.dumb():
		return ModeTTY
	}
	return ModePlain
}
