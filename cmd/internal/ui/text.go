package ui

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// fit cuts s, styled or not, to width columns, the last of them an ellipsis.
func fit(s string, width int, ellipsis string) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	if width <= lipgloss.Width(ellipsis) {
		ellipsis = "" // "..." in three columns says nothing
	}
	return ansi.Truncate(s, max(width, 0), ellipsis)
}

// pad fills s with spaces up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// lines splits text that a tool wrote into lines that are safe to print: no escape
// sequence or control character survives, and of a progress bar that was drawn over
// itself only the last state. Empty lines at both ends are dropped.
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

// line returns the first of [lines]: what fits beside something else.
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
