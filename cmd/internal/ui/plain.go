package ui

import (
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
)

// quietTime is the minimum time between two lines of progress of a step.
const quietTime = 5 * time.Second

// plain writes lines for logs. A line starts with a word that can be searched for, and has no
// escape codes.
type plain struct {
	out     *Stream
	cluster string
	running steps
	written map[*step]entry
}

// entry is the last line of a step.
type entry struct {
	at      time.Time
	message string
}

func newPlain(out *Stream, cluster string) *plain {
	return &plain{out: out, cluster: cluster, written: map[*step]entry{}}
}

func (p *plain) event(e event.Event) {
	step := p.running.apply(e)
	switch e.State {
	case event.Started:
		p.write("start", step, "", 0)
		p.written[step] = entry{at: time.Now()}
	case event.Progress:
		p.progress(step)
	case event.Done:
		p.write("done", step, "", e.Elapsed)
		delete(p.written, step)
	case event.Failed:
		p.write("failed", step, line(e.Message), e.Elapsed)
		delete(p.written, step)
	}
}

// progress writes the message of a step, unless it was written or the last line is too
// recent. In the latter case tick writes it later, so that the log ends with the latest one.
func (p *plain) progress(step *step) {
	last := p.written[step]
	if step.message == last.message || time.Since(last.at) < quietTime {
		return
	}
	p.written[step] = entry{at: time.Now(), message: step.message}
	p.write("still", step, step.message, time.Since(step.began))
}

func (p *plain) tick() {
	for _, step := range p.running {
		p.progress(step)
	}
}

func (p *plain) say(kind messageKind, text string) {
	fmt.Fprintln(p.out, sentence(p.out, kind, text))
}

func (p *plain) close() {
	for _, step := range p.running {
		p.write("halted", step, "", time.Since(step.began))
	}
}

func (p *plain) write(word string, step *step, message string, elapsed time.Duration) {
	text := fmt.Sprintf("%-6s  %s", word, step.title(p.cluster))
	if elapsed := took(elapsed); elapsed != "" {
		text += " (" + elapsed + ")"
	}
	if message != "" {
		text += ": " + message
	}
	fmt.Fprintln(p.out, text)
}
