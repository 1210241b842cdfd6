package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"github.com/clusterlab-dev/lab/providers/event"
)

const frame = 100 * time.Millisecond

// tty draws a line with a spinner for each step that runs. For each step that has ended, it
// keeps a line with a mark above them.
type tty struct {
	out     *Stream
	area    area
	cluster string
	running steps
	began   time.Time
	restore func() error // restores a Windows console
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
		t.draw() // progress events may be frequent, so they wait for the next tick
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
	_ = t.restore() // on an error, the console still interprets escape codes, which is harmless
}

// draw redraws the lines of the steps that run, and puts the given lines above them.
func (t *tty) draw(above ...string) {
	spinner := t.out.symbols.spinner
	mark := spinner[int(time.Since(t.began)/frame)%len(spinner)]
	var live []string
	for _, step := range t.running {
		live = append(live, t.line(mark, step, time.Since(step.began), step.message))
	}
	t.area.draw(above, live)
}

// line returns the line of a step. The time comes before the message, because its length
// changes less often.
func (t *tty) line(mark string, step *step, elapsed time.Duration, message string) string {
	text := mark + " " + step.title(t.cluster)
	for _, more := range []string{took(elapsed), message} {
		if more != "" {
			text += gap + t.out.theme.faint.Render(more)
		}
	}
	return fit(text, t.out.Width()-1, t.out.symbols.ellipsis)
}

// sentence returns a line that belongs to no step.
func sentence(out *Stream, kind messageKind, text string) string {
	if kind == warning {
		return out.theme.busy.Render(out.labels.Warning) + " " + text
	}
	return text
}

// Escape codes, from ECMA-48 and DEC.
const (
	cursorUp    = "\x1b[%dA"
	eraseToEnd  = "\x1b[J" // from the cursor to the end of the screen
	eraseInLine = "\x1b[K" // from the cursor to the end of the line
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
)

// area is the last lines of a terminal, which are redrawn in place.
type area struct {
	out   *Stream
	drawn []int // widths of the lines on the screen
}

// draw replaces the area by the lines of above, which remain on the screen, followed by
// live, which is the new area. It writes everything at once, and erases no line that it draws
// again, so that the screen does not flicker.
func (a *area) draw(above, live []string) {
	live = a.limit(live)
	if len(a.drawn)+len(above)+len(live) == 0 {
		return
	}
	var b strings.Builder
	if len(a.drawn) == 0 && len(live) > 0 {
		b.WriteString(hideCursor)
	}
	if rows := a.rows(a.out.Width()); rows > 0 {
		fmt.Fprintf(&b, cursorUp, rows)
	}
	if len(above) > 0 {
		b.WriteString(eraseToEnd) // lines of above may wrap, so eraseInLine does not suffice
	}
	for _, line := range above {
		b.WriteString(line + "\n")
	}
	for _, line := range live {
		b.WriteString(line + eraseInLine + "\n")
	}
	b.WriteString(eraseToEnd)
	if len(a.drawn) > 0 && len(live) == 0 {
		b.WriteString(showCursor)
	}
	a.remember(live)
	_, _ = a.out.Write([]byte(b.String())) // progress cannot report an error
}

func (a *area) remember(live []string) {
	a.drawn = a.drawn[:0]
	for _, line := range live {
		a.drawn = append(a.drawn, lipgloss.Width(line))
	}
}

// rows returns the number of rows of the area. A terminal that gets narrower wraps its lines.
func (a *area) rows(width int) int {
	rows := 0
	for _, drawn := range a.drawn {
		rows += max(1, (drawn+width-1)/width)
	}
	return rows
}

// limit shortens live to fit on the screen, because the cursor cannot move above it.
func (a *area) limit(live []string) []string {
	room := max(1, a.out.height()-1)
	if len(live) <= room {
		return live
	}
	rest := a.out.theme.faint.Render(fmt.Sprintf("%d more", len(live)-room+1))
	return append(live[:room-1:room-1], gap+rest)
}
