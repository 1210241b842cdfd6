package ui

import (
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
)

// quietTime is how often plain tells at most that a step moved.
const quietTime = 5 * time.Second

// plain writes lines that stay, for logs: no escape codes, and a word first that can
// be searched for.
type plain struct {
	out     *Stream
	cluster string
	running steps
	told    map[*step]telling
}

// telling is when a step was last written about, and what.
type telling struct {
	at      time.Time
	message string
}

func newPlain(out *Stream, cluster string) *plain {
	return &plain{out: out, cluster: cluster, told: map[*step]telling{}}
}

func (p *plain) event(e event.Event) {
	step := p.running.apply(e)
	switch e.State {
	case event.Started:
		p.write("start", step, "", 0)
		p.told[step] = telling{at: time.Now()}
	case event.Progress:
		p.progress(step)
	case event.Done:
		p.write("done", step, "", e.Elapsed)
		delete(p.told, step)
	case event.Failed:
		p.write("failed", step, line(e.Message), e.Elapsed)
		delete(p.told, step)
	}
}

// progress writes the last message of a step unless it is known, or too soon: tick
// comes back to it, so that a log never ends with a message that is out of date.
func (p *plain) progress(step *step) {
	last := p.told[step]
	if step.message == last.message || time.Since(last.at) < quietTime {
		return
	}
	p.told[step] = telling{at: time.Now(), message: step.message}
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
