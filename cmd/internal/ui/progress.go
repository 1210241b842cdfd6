package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Progress shows on stderr what the work reports. It is safe for concurrent use,
// and costs nothing before the first event.
type Progress struct {
	interval time.Duration // between two ticks; 0 for a drawer that needs none

	mu      sync.Mutex
	drawer  drawer
	closed  bool
	quit    chan struct{} // tells the ticker to go; nil until there is one
	stopped chan struct{} // closed once it is gone
}

// drawer is one way to show progress. Its methods are never called at the same time.
type drawer interface {
	event(event.Event)
	say(kind messageKind, text string)
	tick()
	close() // ends what is on the screen; only say may follow
}

// messageKind is what a line that belongs to no step is about.
type messageKind string

const (
	note    messageKind = "Note"
	warning messageKind = "Warning"
)

// ProgressOptions tune a [Progress].
type ProgressOptions struct {
	// Cluster is the one that the command is about. Steps on any other bear the name
	// of their cluster.
	Cluster string
}

// NewProgress returns a Progress that draws on streams.Err. The caller must Close it
// before anything else writes to the terminal.
func NewProgress(streams *Streams, mode Mode, options ProgressOptions) *Progress {
	out := streams.Err
	mode = mode.on(out)
	if mode == ModeTTY {
		if tty, err := newTTY(out, options.Cluster); err == nil {
			return &Progress{drawer: tty, interval: frame}
		}
		mode = ModePlain // a console from before terminals could move the cursor
	}
	switch mode {
	case ModeJSON:
		return &Progress{drawer: &jsonLines{out}}
	case ModeQuiet:
		return &Progress{drawer: quiet{}}
	}
	return &Progress{drawer: newPlain(out, options.Cluster), interval: time.Second}
}

// Report shows one event. The method value is a [event.Reporter]. Events that
// come after Close are dropped.
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

// Warn prints one line, "warning: …", that stays on the screen. It may be used after
// Close.
func (p *Progress) Warn(format string, args ...any) { p.say(warning, format, args) }

// Note prints one line that stays on the screen: what a person may like to know, and
// a script need not. It may be used after Close.
func (p *Progress) Note(format string, args ...any) { p.say(note, format, args) }

func (p *Progress) say(kind messageKind, format string, args []any) {
	text := strings.Join(lines(fault.Redact(fmt.Sprintf(format, args...))), " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawer.say(kind, text)
}

// Close shows the steps that never ended as such, gives the terminal back, and waits
// until nothing draws any more. Only the first call counts.
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
	p.mu.Unlock() // the ticker may be waiting for it
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
