package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// fit cuts s to width columns and ends it with an ellipsis. s may have styles.
func fit(s string, width int, ellipsis string) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	if width <= lipgloss.Width(ellipsis) {
		ellipsis = "" // it would leave no room for text
	}
	return ansi.Truncate(s, max(width, 0), ellipsis)
}

// pad appends spaces to s up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// lines splits text of a tool into lines that are safe to print. It removes escape sequences,
// control characters, empty lines at both ends, and overwritten states of progress bars.
func lines(text string) []string {
	text = strings.Trim(strings.ReplaceAll(ansi.Strip(text), "\r\n", "\n"), "\n")
	split := strings.Split(text, "\n")
	for i, line := range split {
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		split[i] = strings.TrimRight(strings.Map(printable, line), " ")
	}
	return split
}

// line returns the first of [lines].
func line(text string) string { return lines(text)[0] }

func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// Duration formats d in its two largest units: "12s", "1m4s", "3h20m", "2d5h". It omits units
// that are zero. It returns "0s" for a negative d.
func Duration(d time.Duration) string {
	d = d.Round(time.Second)
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return units(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return units(d, time.Hour, "h", time.Minute, "m")
	}
	return units(d, day, "d", time.Hour, "h")
}

func units(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	s := fmt.Sprintf("%d%s", d/large, largeName)
	if rest := d % large / small; rest > 0 {
		s += fmt.Sprintf("%d%s", rest, smallName)
	}
	return s
}

// theme is the set of styles. Its colors are in the palette of the terminal, so that they are
// readable on any background.
type theme struct {
	plain, title, faint, good, bad, busy lipgloss.Style
}

func newTheme(r *lipgloss.Renderer) theme {
	style := r.NewStyle().Inline(true)
	return theme{
		plain: style,
		title: style.Bold(true),
		faint: style.Faint(true),
		good:  style.Foreground(lipgloss.Color("2")),
		bad:   style.Foreground(lipgloss.Color("1")),
		busy:  style.Foreground(lipgloss.Color("3")),
	}
}

// State is the state of an object. Tables and details show it in the color of its meaning.
type State string

func (t theme) state(s State) lipgloss.Style {
	switch s {
	case "running", "ready", "ok", "yes", "current":
		return t.good
	case "blocking", "degraded", "failed", "missing", "error", "unavailable":
		return t.bad
	case "creating", "deleting", "starting", "installing", "pending", "warning", "not ready", "expired":
		return t.busy
	case "stopped", "unknown", "simulated", "no", "skipped", "foreign":
		return t.faint
	}
	return t.plain
}

// symbols are the marks of steps.
type symbols struct {
	spinner                                        []string
	done, failed, unknown, ellipsis, half, pending string
	none, whole                                    string // the cells of charts
}

func newSymbols(unicode bool) symbols {
	if !unicode {
		return symbols{spinner: []string{"|", "/", "-", `\`}, done: "+", failed: "x", unknown: "-", ellipsis: "...", half: "o", pending: "?", none: ".", whole: "#"}
	}
	return symbols{
		spinner: []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
		done:    "✓", failed: "✗", unknown: "–", ellipsis: "…", half: "◐", pending: "…", none: "·", whole: "█",
	}
}
