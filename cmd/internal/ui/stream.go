package ui

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	"golang.org/x/term"
)

// Streams are the standard streams of a command.
type Streams struct {
	In  io.Reader
	Out *Stream // the result
	Err *Stream // everything else

	strays, pipe *os.File // the two ends of the pipe of takeOver, or nil
}

// System returns the streams of this process. It must be called once: it redirects what other
// code writes to os.Stdout and os.Stderr to [Streams.Strays].
func System() *Streams {
	stdout, stderr, strays, pipe := takeOver()
	return &Streams{
		In:     os.Stdin,
		Out:    newFileStream(stdout, os.LookupEnv),
		Err:    newFileStream(stderr, os.LookupEnv),
		strays: strays,
		pipe:   pipe,
	}
}

// Interactive reports whether any of the streams is a terminal.
func (s *Streams) Interactive() bool {
	in, ok := s.In.(*os.File)
	return s.Out.IsTerminal() || s.Err.IsTerminal() || ok && term.IsTerminal(int(in.Fd()))
}

// NoColor disables colors, regardless of the environment. It must be called before anything is
// printed.
func (s *Streams) NoColor() {
	s.Out.setColor(false)
	s.Err.setColor(false)
}

// Labels are the words before messages on stderr, each with its colon.
type Labels struct{ Error, Hint, Warning string }

// SetLabels replaces the English labels. JSON does not have them.
func (s *Streams) SetLabels(l Labels) { s.Err.labels = l }

func newFileStream(f *os.File, env environment) *Stream {
	fd := int(f.Fd())
	var size func() (int, int)
	if term.IsTerminal(fd) {
		size = func() (int, int) {
			width, height, _ := term.GetSize(fd) // 0 on an error, which means unknown
			return width, height
		}
	}
	return newStream(f, size, env)
}

// The size of a terminal whose size is unknown.
const (
	defaultWidth  = 80
	defaultHeight = 24
)

// Stream is a writer with the properties of its terminal.
type Stream struct {
	io.Writer

	size     func() (width, height int) // nil: not a terminal
	env      environment
	renderer *lipgloss.Renderer
	theme    theme
	symbols  symbols
	labels   Labels
}

// newStream returns a stream. size is nil if w is not a terminal.
func newStream(w io.Writer, size func() (width, height int), env environment) *Stream {
	s := &Stream{Writer: w, size: size, env: env, renderer: lipgloss.NewRenderer(w)}
	s.setColor(env.color(size != nil))
	s.theme = newTheme(s.renderer)
	s.symbols = newSymbols(env.unicode())
	s.labels = Labels{Error: "error:", Hint: "hint:", Warning: "warning:"}
	return s
}

// IsTerminal reports whether the stream is a terminal.
func (s *Stream) IsTerminal() bool { return s.size != nil }

// Width returns the current number of columns of the terminal. If it is unknown, or the stream
// is not a terminal, it returns $COLUMNS, or 80 by default.
func (s *Stream) Width() int {
	if s.size != nil {
		// The terminal comes first, because an exported COLUMNS is wrong after a resize.
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
	// lab uses only the 16 colors of the terminal's palette, so it needs no other profile, and
	// need not query the background of the terminal.
	if on {
		s.renderer.SetColorProfile(termenv.ANSI)
	} else {
		s.renderer.SetColorProfile(termenv.Ascii)
	}
}

// draining is the time limit for reading the last lines of libraries.
const draining = 100 * time.Millisecond

// takeOver returns the standard streams of this process and replaces them by a pipe, because
// libraries log to them, in the middle of progress and results. It returns no pipe if none can
// be created.
func takeOver() (stdout, stderr, strays, pipe *os.File) {
	stdout, stderr = os.Stdout, os.Stderr
	strays, pipe, err := os.Pipe()
	if err != nil {
		return stdout, stderr, nil, nil
	}
	os.Stdout, os.Stderr = pipe, pipe // klog writes to them
	log.SetOutput(pipe)               // slog uses log by default
	return stdout, stderr, strays, pipe
}

// Strays calls line for each line that libraries write to the standard streams. The caller
// must call stop, which returns when all lines are handled.
func (s *Streams) Strays(line func(string)) (stop func()) {
	if s.strays == nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(s.strays); lines.Scan(); {
			line(lines.Text())
		}
		_, _ = io.Copy(io.Discard, s.strays) // after a line that is too long
	}()
	return func() {
		// A process that inherited the pipe may keep it open.
		_ = s.strays.SetReadDeadline(time.Now().Add(draining))
		_ = s.pipe.Close()
		<-done
	}
}

// Test returns streams for tests, and buffers with their output. The streams are terminals of
// the given width and 24 lines, or not terminals if width is 0. env is the whole environment;
// an empty one means ASCII and, in a pipe, no colors.
func Test(width int, env map[string]string) (streams *Streams, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	lookup := lookupIn(env)
	var size func() (int, int)
	if width > 0 {
		size = func() (int, int) { return width, defaultHeight }
	}
	return &Streams{
		In:  strings.NewReader(""),
		Out: newStream(stdout, size, lookup),
		Err: newStream(stderr, size, lookup),
	}, stdout, stderr
}

func lookupIn(env map[string]string) environment {
	return func(key string) (string, bool) {
		value, ok := env[key]
		return value, ok
	}
}
