package ui

import "github.com/charmbracelet/lipgloss"

// Details describe one thing: names and values, then tables under titles. Nothing of
// it is ever cut: people copy addresses and passwords from here.
type Details struct {
	names    []string
	values   []any
	sections []section
}

type section struct {
	title string
	table *Table
}

// Add appends a value: anything that fmt prints, or a [State]. An empty value is
// left out.
func (d *Details) Add(name string, value any) {
	if cell(value) == "" {
		return
	}
	d.names = append(d.names, name)
	d.values = append(d.values, value)
}

// Section appends a table under a title. An empty table is left out.
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
