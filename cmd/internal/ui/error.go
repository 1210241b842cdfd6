package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// lastWords is the number of lines of a tool's output that an error shows.
const lastWords = 15

// ErrorOptions are options of [RenderError].
type ErrorOptions struct {
	JSON    bool // print a JSON object on one line
	Verbose bool // print all output of the tool
}

type jsonError struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Code       int    `json:"code"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Hint       string `json:"hint"`
}

// RenderError prints err to stderr: what failed, the last lines of the tool, and the hint.
// The caller must not print anything after it. RenderError prints nothing for nil.
func RenderError(streams *Streams, err error, options ErrorOptions) {
	if err == nil {
		return
	}
	text := err.Error()
	if detail := fault.DetailOf(err); options.Verbose && detail != "" {
		text += "\n" + detail
	}
	message, hint := clean(fault.Redact(plainWords(text))), clean(fault.Redact(fault.HintOf(err)))
	if options.JSON {
		code, reason := Classify(err)
		_ = writeJSON(streams.Err, jsonError{apiVersion, "Error", code, reason, message, hint}, "") // the exit code remains
		return
	}
	theme, labels := streams.Err.theme, streams.Err.labels
	shown := strings.Split(message, "\n")
	if !options.Verbose {
		shown = shorten(shown)
	}
	paragraph(streams.Err, theme.bad.Bold(true).Render(labels.Error), shown, "  ")
	if hint != "" {
		paragraph(streams.Err, theme.title.Render(labels.Hint), strings.Split(hint, "\n"), strings.Repeat(" ", lipgloss.Width(labels.Hint)+1))
	}
}

// plainWords replaces error texts of Go by plain ones.
func plainWords(message string) string {
	return strings.NewReplacer(
		"context canceled", "interrupted",
		"context deadline exceeded", "timed out",
	).Replace(message)
}

// clean returns text of a tool without control characters. It may have several lines.
func clean(text string) string { return strings.Join(lines(text), "\n") }

// shorten keeps the first line, which says what failed, and the last lines, in which tools
// give the reason.
func shorten(text []string) []string {
	left := len(text) - 1 - lastWords
	if left <= 1 { // the note is a line, too
		return text
	}
	note := fmt.Sprintf("(%d lines omitted; to show all: -v)", left)
	return append([]string{text[0], note}, text[1+left:]...)
}

// paragraph prints a label and lines, and indents all lines but the first.
func paragraph(out *Stream, label string, text []string, indent string) {
	var b strings.Builder
	b.WriteString(label + " " + text[0] + "\n")
	for _, line := range text[1:] {
		b.WriteString(strings.TrimRight(indent+line, " ") + "\n")
	}
	_, _ = out.Write([]byte(b.String())) // the exit code remains
}

// class is a kind of error with its exit code and reason.
type class struct {
	kind   error
	code   int
	reason string
}

// classes returns the exit codes that scripts rely on. If an error is of several kinds at the
// same depth, the first one counts.
func classes() []class {
	return []class{
		{context.DeadlineExceeded, 7, "Timeout"},
		{fault.ErrInvalid, 2, "Invalid"},
		{fault.ErrNotFound, 3, "NotFound"},
		{fault.ErrForeign, 4, "Foreign"},
		{fault.ErrExists, 4, "AlreadyExists"},
		{fault.ErrUnsupported, 6, "Unsupported"},
		{fault.ErrUnavailable, 5, "Unavailable"},
	}
}

// coded is an error with an exit code other than that of its kind.
type coded struct {
	error
	code int
}

func (c *coded) Unwrap() error { return c.error }

// WithCode returns err with an exit code that replaces that of its kind. The reason is still
// that of its kind. It returns nil for nil.
func WithCode(err error, code int) error {
	if err == nil {
		return nil
	}
	return &coded{err, code}
}

// Classify returns the exit code and the reason of err. They are 0 and "" for nil.
//
// An interrupt counts at any depth, because other errors are consequences of it. Of the other
// kinds, the outermost counts: an engine that did not answer in two seconds is Unavailable if
// its adapter returns that, and a wait of ten minutes for such an engine is a Timeout. A code
// of [WithCode] counts before all of these.
func Classify(err error) (code int, reason string) {
	if err == nil {
		return 0, ""
	}
	if c, ok := errors.AsType[*coded](err); ok {
		_, reason := Classify(c.error)
		return c.code, reason
	}
	if errors.Is(err, context.Canceled) {
		return 130, "Interrupted"
	}
	for level := []error{err}; len(level) > 0; level = unwrap(level) {
		for _, class := range classes() {
			for _, err := range level {
				if is(err, class.kind) {
					return class.code, class.reason
				}
			}
		}
	}
	return 1, "Failed"
}

// is reports whether err is of a kind, without the errors that it wraps.
func is(err, kind error) bool {
	if err == kind {
		return true
	}
	matcher, ok := err.(interface{ Is(error) bool })
	return ok && matcher.Is(kind)
}

// unwrap returns the errors that those of one level wrap.
func unwrap(level []error) []error {
	var next []error
	for _, err := range level {
		switch err := err.(type) {
		case interface{ Unwrap() error }:
			if inner := err.Unwrap(); inner != nil {
				next = append(next, inner)
			}
		case interface{ Unwrap() []error }:
			next = append(next, err.Unwrap()...)
		}
	}
	return next
}
