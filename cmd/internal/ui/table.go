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
	minColumn = 8    // the minimum width of a column that is cut
)

// Table is a table with headers and without borders. On a terminal, it is cut to the width;
// columns on the right are omitted if they do not fit, so the first columns should be the most
// important ones. In a pipe it is not cut.
type Table struct {
	headers []any
	rows    [][]any
}

// NewTable returns an empty table. Without headers, it prints only rows.
func NewTable(headers ...string) *Table {
	t := &Table{}
	for _, header := range headers {
		t.headers = append(t.headers, strings.ToUpper(header))
	}
	return t
}

// Row adds a row with a value for each column: anything that fmt prints, or a [State].
func (t *Table) Row(cells ...any) { t.rows = append(t.rows, cells) }

// Len returns the number of rows. A table without rows prints nothing: print a note on stderr
// instead.
func (t *Table) Len() int { return len(t.rows) }

func (t *Table) render(out *Stream, width int) []string {
	if len(t.rows) == 0 {
		return nil
	}
	headers, widths := t.headers, t.widths()
	if width > 0 {
		ellipsis := out.symbols.ellipsis
		if n := columns(widths, width); n < len(widths) {
			// The header of the omitted columns is an ellipsis.
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

// columns returns the number of columns that fit into width at their minimum widths. It is at
// least 1.
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

// shrink reduces the widest column until all fit into width. Short columns, such as a state or
// an age, stay readable.
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

// cell returns a value as one line of text, without user names and passwords of URLs. They
// are removed here because they cannot be recognized in a URL that was cut.
func cell(value any) string {
	if value == nil {
		return ""
	}
	return line(fault.Redact(fmt.Sprint(value)))
}

// paint styles the text of a value: a [State] by its meaning, other values by style.
func paint(out *Stream, value any, text string, style lipgloss.Style) string {
	if text == "" {
		return "" // without escape codes
	}
	if state, ok := value.(State); ok {
		style = out.theme.state(state)
	}
	return style.Render(text)
}

// Details describes one object: names and values, then tables with titles. It is never cut to
// the width of the terminal, because users copy addresses and passwords from it.
type Details struct {
	names    []string
	values   []any
	sections []section
}

type section struct {
	title string
	table *Table
}

// Add appends a value: anything that fmt prints, or a [State]. It omits an empty value.
func (d *Details) Add(name string, value any) {
	if cell(value) == "" {
		return
	}
	d.names = append(d.names, name)
	d.values = append(d.values, value)
}

// Section appends a table with a title. It omits an empty table.
func (d *Details) Section(title string, table *Table) {
	if table.Len() > 0 {
		d.sections = append(d.sections, section{title, table})
	}
}

func (d *Details) render(out *Stream, _ int) []string {
	names := 0
	for _, name := range d.names {
		names = max(names, lipgloss.Width(name))
	}
	var rendered []string
	for i, name := range d.names {
		value := paint(out, d.values[i], cell(d.values[i]), out.theme.plain)
		rendered = append(rendered, out.theme.faint.Render(pad(name, names))+gap+value)
	}
	for _, section := range d.sections {
		if len(rendered) > 0 {
			rendered = append(rendered, "")
		}
		rendered = append(rendered, out.theme.title.Render(section.title))
		for _, row := range section.table.render(out, 0) {
			rendered = append(rendered, gap+row)
		}
	}
	return rendered
}
