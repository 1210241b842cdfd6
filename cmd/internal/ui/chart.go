package ui

import (
	"bytes"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Whole is the value of a cell of a [Chart] that is full. Smaller values are tenths.
const Whole = 10

// Chart shows how shares change over time: one row for each name, one column for each moment. If it is wider than the
// screen, it shows the end.
type Chart struct {
	Title  string
	Rows   []ChartRow
	Footer []string
}

// ChartRow is a row of a [Chart]. Bad rows show what should be empty.
type ChartRow struct {
	Name  string
	Cells []int // 0 to [Whole]
	Bad   bool
}

func (c *Chart) render(out *Stream, width int) []string {
	var lines []string
	if c.Title != "" {
		lines = append(lines, out.theme.title.Render(c.fit(out, c.Title, width)))
	}
	names := 0
	for _, row := range c.Rows {
		names = max(names, lipgloss.Width(row.Name))
	}
	names = min(names, 20)
	styles := []lipgloss.Style{out.theme.good, out.theme.busy, out.theme.plain}
	for i, row := range c.Rows {
		style := styles[i%len(styles)]
		if row.Bad {
			style = out.theme.bad
		}
		name := c.fit(out, row.Name, names)
		cells := row.Cells
		if room := width - names - len(gap)*2; width > 0 && len(cells) > room {
			cells = cells[len(cells)-max(room, 0):]
		}
		text := gap + name + strings.Repeat(" ", names-lipgloss.Width(name)) + gap + style.Render(out.symbols.cells(cells))
		lines = append(lines, strings.TrimRight(text, " "))
	}
	for _, text := range c.Footer {
		lines = append(lines, c.fit(out, text, width))
	}
	return lines
}

// fit cuts a text to width, unless width is 0.
func (c *Chart) fit(out *Stream, text string, width int) string {
	text = line(text)
	if width == 0 {
		return text
	}
	return fit(text, width, out.symbols.ellipsis)
}

// cells returns one character for each cell: a digit for tenths, so that shares can be read without colors.
func (s symbols) cells(values []int) string {
	var b strings.Builder
	for _, v := range values {
		switch {
		case v <= 0:
			b.WriteString(s.none)
		case v >= Whole:
			b.WriteString(s.whole)
		default:
			b.WriteByte(byte('0' + v))
		}
	}
	return b.String()
}

// Series prints results one below the other. It omits a result that would look like the one before.
type Series struct {
	out    *Stream
	format Format
	last   string
}

// NewSeries returns a series on out, which need not be a terminal.
func NewSeries(out *Stream, format Format) *Series { return &Series{out: out, format: format} }

// Print prints a result as [Print] does, and an empty line between two views.
func (s *Series) Print(obj any, view View) error {
	var text bytes.Buffer
	to := *s.out
	to.Writer = &text
	if err := Print(&to, s.format, obj, func() View { return view }); err != nil || text.String() == s.last {
		return err
	}
	gap := ""
	if s.last != "" && s.format == FormatTable {
		gap = "\n"
	}
	s.last = text.String()
	_, err := io.WriteString(s.out, gap+s.last)
	return err
}

// Screen shows a view that changes, in place. The last view stays when it is closed.
type Screen struct {
	out  *Stream
	area area
}

// NewScreen returns a screen on a terminal, or nil if out is not one.
func NewScreen(out *Stream) *Screen {
	if !out.IsTerminal() {
		return nil
	}
	return &Screen{out: out, area: area{out: out}}
}

// Show replaces the view.
func (s *Screen) Show(v View) { s.area.draw(nil, v.render(s.out, s.out.Width())) }

// Close leaves the last view on the screen.
func (s *Screen) Close(last View) { s.area.draw(last.render(s.out, s.out.Width()), nil) }
