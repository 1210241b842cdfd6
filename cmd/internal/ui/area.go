package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// What a terminal does on these, in the words of ECMA-48 and of DEC.
const (
	cursorUp    = "\x1b[%dA"
	eraseToEnd  = "\x1b[J" // of the screen
	eraseInLine = "\x1b[K" // from the cursor on
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
)

// area is the last lines of a terminal, which are drawn anew in place.
type area struct {
	out   *Stream
	drawn []int // width of each line that is there now
}

// draw prints above, to stay, where the area began, and then live. All of it is one
// Write, and nothing is erased that is about to be drawn again: it does not flicker.
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
		b.WriteString(eraseToEnd) // these may be longer than a line, so no eraseInLine
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
	// Progress has nobody to tell that the terminal went away.
	_, _ = a.out.Write([]byte(b.String()))
}

func (a *area) remember(live []string) {
	a.drawn = a.drawn[:0]
	for _, line := range live {
		a.drawn = append(a.drawn, lipgloss.Width(line))
	}
}

// rows returns how many rows the area takes now. Terminals wrap the lines that they
// show when they get narrower.
func (a *area) rows(width int) int {
	rows := 0
	for _, drawn := range a.drawn {
		rows += max(1, (drawn+width-1)/width)
	}
	return rows
}

// limit keeps the area lower than the screen, as the cursor cannot go up beyond it.
func (a *area) limit(live []string) []string {
	room := max(1, a.out.height()-1)
	if len(live) <= room {
		return live
	}
	rest := a.out.theme.faint.Render(fmt.Sprintf("%d more", len(live)-room+1))
	return append(live[:room-1:room-1], gap+rest)
}
