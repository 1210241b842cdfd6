package ui

import (
	"bufio"
	"io"
	"log"
	"os"
	"time"
)

// draining is how long the last lines of libraries are waited for.
const draining = 100 * time.Millisecond

// takeOver returns the standard streams of this process, and puts a pipe in their place:
// libraries log to them by themselves, into the middle of progress and results. It returns
// no pipe where the system has none left.
func takeOver() (stdout, stderr, strays, pipe *os.File) {
	stdout, stderr = os.Stdout, os.Stderr
	strays, pipe, err := os.Pipe()
	if err != nil {
		return stdout, stderr, nil, nil
	}
	os.Stdout, os.Stderr = pipe, pipe // which is where klog writes to
	log.SetOutput(pipe)               // and so does slog, unless told otherwise
	return stdout, stderr, strays, pipe
}

// Strays calls line for each line that libraries write to the standard streams by
// themselves. The caller must call stop, which returns once all lines are handled.
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
		_, _ = io.Copy(io.Discard, s.strays) // behind a line that is too long
	}()
	return func() {
		// A process that inherited the pipe may hold it open.
		_ = s.strays.SetReadDeadline(time.Now().Add(draining))
		_ = s.pipe.Close()
		<-done
	}
}
