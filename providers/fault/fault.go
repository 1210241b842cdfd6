// Package fault defines the errors of lab: their kinds, which determine the exit code, the hint that
// tells the user what to do, and the full output of the tool that failed. It also has helpers for error
// messages: suggestions for misspelled names, quoting for a shell, and the removal of
// credentials from URLs.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of failure that callers tell apart. Test with [errors.Is].
var (
	// ErrInvalid: the request is not valid on any machine.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: the cluster, flavor or object does not exist.
	ErrNotFound = errors.New("not found")
	// ErrExists: the name is in use.
	ErrExists = errors.New("already exists")
	// ErrForeign: lab did not create the cluster, so lab does not change it.
	ErrForeign = errors.New("not managed by lab")
	// ErrUnavailable: the tool, its engine or something else that it needs is
	// missing or not running.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnsupported: this flavor cannot do that.
	ErrUnsupported = errors.New("not supported")
)

// WithHint attaches to err what the user can do about it, if possible an exact command. It does
// not change the message. It returns nil for nil.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err: err, hint: fmt.Sprintf(format, args...)}
}

// HintOf returns the outermost hint that err carries, or "".
func HintOf(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

// WithDetail attaches to err the full output of the tool that failed. Messages contain only the
// reason; -v shows the detail. It returns nil for nil.
func WithDetail(err error, detail string) error {
	if err == nil || detail == "" {
		return err
	}
	return &detailed{err: err, detail: detail}
}

// DetailOf returns the outermost detail that err carries, or "".
func DetailOf(err error) string {
	if d, ok := errors.AsType[*detailed](err); ok {
		return d.detail
	}
	return ""
}

// FirstLine returns the first line of the message of an error, for tables and lists.
func FirstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Errorf is [fmt.Errorf] for an error of a kind, one of the Err… values above, whose text is
// not part of the message.
func Errorf(kind error, format string, args ...any) error {
	return &kinded{kind: kind, err: fmt.Errorf(format, args...)}
}

type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

type detailed struct {
	err    error
	detail string
}

func (d *detailed) Error() string { return d.err.Error() }
func (d *detailed) Unwrap() error { return d.err }

type kinded struct {
	kind error
	err  error
}

func (k *kinded) Error() string   { return k.err.Error() }
func (k *kinded) Unwrap() []error { return []error{k.err, k.kind} }
