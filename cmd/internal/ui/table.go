package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

const (
	gap       = "  " // between two columns
	minColumn = 5    // what a column keeps, however narrow the terminal
)

// Table is rows under headers, without borders. On a terminal it is cut to the
// width; in a pipe every cell is whole, so that scripts may cut columns themselves.
type Table struct {
	headers []any
	rows    [][]any
}

// NewTable returns an empty table.
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
	widths := t.widths()
	if width > 0 {
		shrink(widths, width-len(gap)*(len(widths)-1))
	}
	rendered := []string{renderRow(out, widths, t.headers, out.theme.faint)}
	for _, row := range t.rows {
		rendered = append(rendered, renderRow(out, widths, row, out.theme.plain))
	}
	if width > 0 {
		for i, row := range rendered { // the least of all columns may still be too much
			rendered[i] = fit(row, width, out.symbols.ellipsis)
		}
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

// shrink takes from the widest column until all fit into total: the short ones, a
// state or an age, say much in little room.
func shrink(widths []int, total int) {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for ; sum > total; sum-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= minColumn {
			return
		}
		widths[widest]--
	}
}

func renderRow(out *Stream, widths []int, row []any, style lipgloss.Style) string {
	var b strings.Builder
	for i, value := range row {
		if i > 0 {
			b.WriteString(gap)
		}
		text := fit(cell(value), widths[i], out.symbols.ellipsis)
		b.WriteString(paint(out, value, text, style))
		if i < len(row)-1 {
			b.WriteString(pad("", widths[i]-lipgloss.Width(text)))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// cell returns a value as text of one line.
func cell(value any) string {
	if value == nil {
		return ""
	}
	return line(fmt.Sprint(value))
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
