package ui

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are where a command reads from and writes to.
type Streams struct {
	In  io.Reader
	Out *Stream // the result
	Err *Stream // everything else

	strays, pipe *os.File // what libraries write by themselves, and where to; nil: not caught
}

// System returns the streams of this process. It is called once: from then on nobody else
// writes to them, see [Streams.Strays].
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

// Interactive tells whether a person sits at any of the streams.
func (s *Streams) Interactive() bool {
	in, ok := s.In.(*os.File)
	return s.Out.IsTerminal() || s.Err.IsTerminal() || ok && term.IsTerminal(int(in.Fd()))
}

// NoColor turns colours off, whatever the environment says. Call it before
// anything is printed.
func (s *Streams) NoColor() {
	s.Out.setColor(false)
	s.Err.setColor(false)
}

func newFileStream(f *os.File, env environment) *Stream {
	fd := int(f.Fd())
	var size func() (int, int)
	if term.IsTerminal(fd) {
		size = func() (int, int) {
			// A terminal that does not know its size is no error: 0 means unknown.
			width, height, _ := term.GetSize(fd)
			return width, height
		}
	}
	return newStream(f, size, env)
}
