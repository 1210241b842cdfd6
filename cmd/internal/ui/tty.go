package ui

import (
	"time"

	"github.com/muesli/termenv"

	"github.com/clusterlab-dev/lab/providers/event"
)

const frame = 100 * time.Millisecond

// tty draws a line with a spinner for every step that runs, and leaves a line with a
// mark above them for every one that ended.
type tty struct {
	out     *Stream
	area    area
	cluster string
	running steps
	began   time.Time
	restore func() error // the console, where it had to be told to obey escape codes
}

func newTTY(out *Stream, cluster string) (*tty, error) {
	restore, err := termenv.EnableVirtualTerminalProcessing(out.renderer.Output())
	if err != nil {
		return nil, err
	}
	return &tty{out: out, area: area{out: out}, cluster: cluster, began: time.Now(), restore: restore}, nil
}

func (t *tty) event(e event.Event) {
	step := t.running.apply(e)
	marks, theme := t.out.symbols, t.out.theme
	switch e.State {
	case event.Done:
		t.draw(t.line(theme.good.Render(marks.done), step, e.Elapsed, ""))
	case event.Failed:
		t.draw(t.line(theme.bad.Render(marks.failed), step, e.Elapsed, line(e.Message)))
	case event.Started:
		t.draw() // progress waits for the next tick: it may come in bursts
	}
}

func (t *tty) say(kind messageKind, text string) { t.draw(sentence(t.out, kind, text)) }

func (t *tty) tick() {
	if len(t.running) > 0 {
		t.draw()
	}
}

func (t *tty) close() {
	var halted []string
	for _, step := range t.running {
		mark := t.out.theme.faint.Render(t.out.symbols.unknown)
		halted = append(halted, t.line(mark, step, time.Since(step.began), "not finished"))
	}
	t.running = nil
	t.draw(halted...)
	// On failure the console is left as lab needed it, which does no harm.
	_ = t.restore()
}

// draw puts the given lines above the live ones, which it draws anew.
func (t *tty) draw(above ...string) {
	spinner := t.out.symbols.spinner
	mark := spinner[int(time.Since(t.began)/frame)%len(spinner)]
	var live []string
	for _, step := range t.running {
		live = append(live, t.line(mark, step, time.Since(step.began), step.message))
	}
	t.area.draw(above, live)
}

// line is one step. The time stands before the message, because it changes its
// length less often.
func (t *tty) line(mark string, step *step, elapsed time.Duration, message string) string {
	text := mark + " " + step.title(t.cluster)
	for _, more := range []string{took(elapsed), message} {
		if more != "" {
			text += gap + t.out.theme.faint.Render(more)
		}
	}
	return fit(text, t.out.Width()-1, t.out.symbols.ellipsis)
}

// sentence is a line that belongs to no step.
func sentence(out *Stream, kind messageKind, text string) string {
	if kind == warning {
		return out.theme.busy.Render("warning:") + " " + text
	}
	return text
}
