package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	gap       = "  " // between two columns
	minColumn = 8    // what a column keeps; less of it says nothing
)

// Table is rows under headers, without borders. On a terminal it is cut to the
// width, and the columns on the right go where there is no room at all, so the first
// ones should say most. In a pipe it is whole: scripts cut columns themselves.
type Table struct {
	headers []any
	rows    [][]any
}

// NewTable returns an empty table. One without headers prints its rows alone.
func NewTable(headers ...string) *Table {
	t := &Table{}
	for _, header := range headers {
		t.headers = append(t.headers, strings.ToUpper(header))
	}
	return t
}

// Row adds a row, one value a column: anything that fmt prints, or a [State].
func (t *Table) Row(cells ...any) { t.rows = append(t.rows, cells) }

// Len returns the number of rows. A table without rows prints nothing: say in a
// sentence on stderr that there is nothing to show.
func (t *Table) Len() int { return len(t.rows) }

func (t *Table) render(out *Stream, width int) []string {
	if len(t.rows) == 0 {
		return nil
	}
	headers, widths := t.headers, t.widths()
	if width > 0 {
		ellipsis := out.symbols.ellipsis
		if n := columns(widths, width); n < len(widths) {
			// An ellipsis for a header says that there is more.
			width -= lipgloss.Width(gap + ellipsis)
			n = columns(widths, width)
			widths = widths[:n]
			if len(headers) > 0 {
				headers = append(headers[:n:n], ellipsis)
			}
		}
		shrink(widths, width)
	}
	var rendered []string
	if len(headers) > 0 {
		rendered = append(rendered, renderRow(out, widths, headers, out.theme.faint))
	}
	for _, row := range t.rows {
		rendered = append(rendered, renderRow(out, widths, row[:min(len(row), len(widths))], out.theme.plain))
	}
	return rendered
}

func (t *Table) widths() []int {
	var widths []int
	for _, row := range append([][]any{t.headers}, t.rows...) {
		for i, value := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], lipgloss.Width(cell(value)))
		}
	}
	return widths
}

// columns returns how many of the columns fit into width when all are as narrow as
// they may be. It is 1 at least.
func columns(widths []int, width int) int {
	sum := -len(gap)
	for i, w := range widths {
		sum += len(gap) + min(w, minColumn)
		if i > 0 && sum > width {
			return i
		}
	}
	return len(widths)
}

// shrink takes from the widest column until all fit into width: the short ones, a
// state or an age, say much in little room.
func shrink(widths []int, width int) {
	sum := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	for ; sum > width; sum-- {
		widest := slices.Index(widths, slices.Max(widths))
		widths[widest] = max(0, widths[widest]-1)
	}
}

func renderRow(out *Stream, widths []int, row []any, style lipgloss.Style) string {
	var b strings.Builder
	for i, value := range row {
		if i > 0 {
			b.WriteString(gap)
		}
		text := cell(value)
		if i < len(widths) {
			text = fit(text, widths[i], out.symbols.ellipsis)
		}
		b.WriteString(paint(out, value, text, style))
		if i < len(row)-1 {
			b.WriteString(pad("", widths[i]-lipgloss.Width(text)))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// cell returns a value as text of one line, without the user names and passwords of URLs: a
// table may cut it, and half a URL is not known as one.
func cell(value any) string {
	if value == nil {
		return ""
	}
	return line(fault.Redact(fmt.Sprint(value)))
}

// paint styles the text of a value: a [State] by its meaning, all else by style.
func paint(out *Stream, value any, text string, style lipgloss.Style) string {
	if text == "" {
		return "" // no escape codes around nothing
	}
	if state, ok := value.(State); ok {
		style = out.theme.state(state)
	}
	return style.Render(text)
}
