package ui

import (
	"regexp"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

const (
	pageWidth = 80 // the maximum width of paragraphs: longer lines are hard to read
	minPage   = 20
)

// Mark is the mark of a result on a [Page].
type Mark int

// The marks.
const (
	MarkPassed Mark = iota
	MarkHalf
	MarkFailed
	MarkSkipped
	MarkPending
)

// Page is text for reading: titles, paragraphs of Markdown and marked results. Paragraphs are
// wrapped, in a pipe as well; blocks of code are not.
type Page struct {
	parts []func(out *Stream, width int) []string
}

func (p *Page) add(part func(out *Stream, width int) []string) { p.parts = append(p.parts, part) }

// Title appends a title.
func (p *Page) Title(text string) {
	p.add(func(out *Stream, width int) []string {
		return styled(wrap(line(text), width), out.theme.title)
	})
}

// Markdown appends paragraphs, lists and blocks of code. Other elements of Markdown are text.
func (p *Page) Markdown(text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	p.add(func(out *Stream, width int) []string { return markdown(out, text, width) })
}

// Result appends a marked line, and the lines of its details. Empty details are omitted. It stands
// directly below another result.
func (p *Page) Result(mark Mark, text string, details ...string) {
	last := func(out *Stream, width int) []string {
		style, symbol := out.mark(mark)
		rendered := markdown(out, text, width-2)
		for _, detail := range details {
			if detail != "" {
				rendered = append(rendered, styled(wrap(line(detail), width-2), out.theme.faint)...)
			}
		}
		for i := range rendered {
			first := style.Render(symbol) + pad(" ", 2-lipgloss.Width(symbol))
			if i > 0 {
				first = "  "
			}
			rendered[i] = strings.TrimRight(first+rendered[i], " ")
		}
		return rendered
	}
	p.add(last)
}

// Line appends a separate line, such as a command to copy. It is not wrapped.
func (p *Page) Line(text string) {
	if text != "" {
		p.add(func(out *Stream, _ int) []string { return []string{line(text)} })
	}
}

// Gap appends an empty line.
func (p *Page) Gap() { p.add(func(*Stream, int) []string { return []string{""} }) }

func (p *Page) render(out *Stream, width int) []string {
	if width == 0 || width > pageWidth {
		width = pageWidth
	}
	width = max(width, minPage)
	var rendered []string
	for _, part := range p.parts {
		rendered = append(rendered, part(out, width)...)
	}
	return rendered
}

func (s *Stream) mark(m Mark) (lipgloss.Style, string) {
	switch m {
	case MarkPassed:
		return s.theme.good, s.symbols.done
	case MarkHalf:
		return s.theme.good, s.symbols.half
	case MarkFailed:
		return s.theme.bad, s.symbols.failed
	case MarkPending:
		return s.theme.busy, s.symbols.pending
	}
	return s.theme.faint, s.symbols.unknown
}

// markdown renders blocks with empty lines between them.
func markdown(out *Stream, text string, width int) []string {
	var rendered, paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			rendered = append(rendered, block(out, strings.Join(paragraph, " "), width)...)
			paragraph = nil
		}
	}
	code := false
	for _, raw := range strings.Split(strings.TrimSpace(text), "\n") {
		switch {
		case strings.HasPrefix(raw, "```"):
			flush()
			code = !code
		case code:
			rendered = append(rendered, strings.TrimRight("    "+strings.Map(printable, ansi.Strip(raw)), " "))
		case strings.TrimSpace(raw) == "":
			flush()
			if len(rendered) > 0 && rendered[len(rendered)-1] != "" {
				rendered = append(rendered, "")
			}
		default:
			if bullet(raw) != "" {
				flush()
			}
			paragraph = append(paragraph, strings.TrimSpace(raw))
		}
	}
	flush()
	return rendered
}

// bullet returns the start of an item of a list, or "".
func bullet(text string) string { return regexp.MustCompile(`^(- |\d+\. )`).FindString(text) }

// block renders a paragraph or an item of a list.
func block(out *Stream, text string, width int) []string {
	start := bullet(text)
	width -= lipgloss.Width(start)
	rendered := wrap(inline(out, line(strings.TrimPrefix(text, start)), width), width)
	for i := range rendered {
		rendered[i] = strings.ReplaceAll(rendered[i], hardSpace, " ")
		if i == 0 {
			rendered[i] = start + rendered[i]
		} else {
			rendered[i] = strings.Repeat(" ", lipgloss.Width(start)) + rendered[i]
		}
	}
	return rendered
}

// hardSpace is a space at which lines are not broken.
const hardSpace = "\u00a0"

// inline renders `code` and **strong** text. Code keeps its marks where there are no colors. Code that fits on a line has
// hard spaces: a command that is broken could not be copied.
func inline(out *Stream, text string, width int) string {
	text = regexp.MustCompile("`[^`]+`").ReplaceAllStringFunc(text, func(code string) string {
		if lipgloss.Width(code) < width { // punctuation may follow
			code = strings.ReplaceAll(code, " ", hardSpace)
		}
		bare := strings.Trim(code, "`")
		if rendered := out.theme.busy.Render(bare); rendered != bare {
			return rendered
		}
		return code
	})
	return regexp.MustCompile(`\*\*[^*]+\*\*`).ReplaceAllStringFunc(text, func(strong string) string {
		return out.theme.title.Render(strings.Trim(strong, "*"))
	})
}

// wrap breaks lines at spaces only. [ansi.Wordwrap] breaks at hyphens, too, which would split flags.
// wrap breaks text between words only: a command that is broken at a hyphen could not be copied.
func wrap(text string, width int) []string {
	var rendered []string
	line, used := "", 0
	for word := range strings.SplitSeq(text, " ") {
		w := lipgloss.Width(word)
		if line != "" && used+1+w > width {
			rendered = append(rendered, line)
			line, used = "", 0
		}
		if line != "" {
			line += " "
			used++
		}
		line += word
		used += w
	}
	return append(rendered, line)
}

func styled(rendered []string, style lipgloss.Style) []string {
	for i := range rendered {
		rendered[i] = style.Render(rendered[i])
	}
	return rendered
}
