package ui

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Used where a terminal does not tell its size, or has none.
const (
	defaultWidth  = 80
	defaultHeight = 24
)

// Stream is a writer that knows what its other end can show.
type Stream struct {
	io.Writer

	size     func() (width, height int) // nil: not a terminal
	env      environment
	renderer *lipgloss.Renderer
	theme    theme
	symbols  symbols
}

// newStream takes the size function of a terminal, or nil where w is none.
func newStream(w io.Writer, size func() (width, height int), env environment) *Stream {
	s := &Stream{Writer: w, size: size, env: env, renderer: lipgloss.NewRenderer(w)}
	s.setColor(env.color(size != nil))
	s.theme = newTheme(s.renderer)
	s.symbols = newSymbols(env.unicode())
	return s
}

// IsTerminal tells whether a person looks at the other end.
func (s *Stream) IsTerminal() bool { return s.size != nil }

// Width returns the columns of the terminal as it is now. A stream that is not a
// terminal, or does not know, has $COLUMNS of them, or 80.
func (s *Stream) Width() int {
	if s.size != nil {
		// The terminal goes first: an exported COLUMNS is stale after a resize.
		if width, _ := s.size(); width > 0 {
			return width
		}
	}
	return s.env.number("COLUMNS", defaultWidth)
}

func (s *Stream) height() int {
	if s.size != nil {
		if _, height := s.size(); height > 0 {
			return height
		}
	}
	return defaultHeight
}

func (s *Stream) setColor(on bool) {
	// Only the 16 colours of the user's own palette are used, so there is no
	// profile between these two, and no need to ask the terminal for its background.
	if on {
		s.renderer.SetColorProfile(termenv.ANSI)
	} else {
		s.renderer.SetColorProfile(termenv.Ascii)
	}
}
