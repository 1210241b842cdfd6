package kind

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers/event"
)

// steps turns kind's log into events. It implements kind's [log.Logger]: kind reports its work
// only as lines of text, one step after another.
type steps struct {
	report event.Reporter
	ended  func(step string) // called when a step is done; may be nil

	mu     sync.Mutex
	now    *event.Step
	began  bool // any step has
	closed bool
}

// The prefixes of kind's step names.
const (
	markStart  = " • "
	markDone   = " ✓ "
	markFailed = " ✗ "
)

// line handles a message of the normal level.
func (s *steps) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := strings.CutPrefix(text, markStart); ok && !s.closed {
		s.end(nil)
		s.began = true
		s.now = s.report.Start(stepName(name))
	}
	if name, ok := strings.CutPrefix(text, markDone); ok && !s.closed {
		s.end(nil)
		if s.ended != nil {
			s.ended(stepName(name))
		}
	}
	// A failed step ends in close, with its error.
}

// warn reports a warning as progress of the current step.
func (s *steps) warn(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		s.now.Progress(strings.TrimSpace(text))
	}
}

// end ends the current step. The caller holds the lock.
func (s *steps) end(err error) {
	if s.now != nil {
		s.now.End(err)
	}
	s.now = nil
}

// close ends the current step. Later messages of kind are dropped.
func (s *steps) close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(err)
	s.closed = true
}

// started reports whether kind began a step.
func (s *steps) started() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began
}

// stepName removes the emoji, which not every terminal can show.
func stepName(text string) string {
	text = strings.TrimSuffix(strings.TrimSpace(text), "...")
	return strings.TrimRightFunc(text, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsSpace(r) })
}

// Warn, Warnf, Error, Errorf, V, Info, Infof and Enabled are kind's.

func (s *steps) Warn(message string)           { s.warn(message) }
func (s *steps) Warnf(format string, a ...any) { s.warn(fmt.Sprintf(format, a...)) }

func (s *steps) Error(message string)           { s.warn(message) }
func (s *steps) Errorf(format string, a ...any) { s.warn(fmt.Sprintf(format, a...)) }

func (s *steps) V(level log.Level) log.InfoLogger {
	if level > 0 {
		return log.NoopInfoLogger{}
	}
	return s
}

func (s *steps) Info(message string)           { s.line(message) }
func (s *steps) Infof(format string, a ...any) { s.line(fmt.Sprintf(format, a...)) }
func (s *steps) Enabled() bool                 { return true }
