// Package fault has the errors of lab: their kinds, which decide the exit code, the hint that tells
// a person what to do, and the full output of the tool that failed. It also has what error messages
// are written with: suggestions for misspelled names, quoting for a shell, and the removal of
// credentials from URLs.
package fault

import (
	"errors"
	"fmt"
)

// The kinds of failure that callers tell apart. Test with [errors.Is].
var (
	// ErrInvalid: what was asked for makes no sense, whatever the machine.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: there is no such cluster, flavor or thing.
	ErrNotFound = errors.New("not found")
	// ErrExists: the name is taken.
	ErrExists = errors.New("already exists")
	// ErrForeign: the cluster is not one that lab made, so lab leaves it alone.
	ErrForeign = errors.New("not managed by lab")
	// ErrUnavailable: the tool, its engine or something else that it needs is
	// missing or not running.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnsupported: this flavor cannot do that.
	ErrUnsupported = errors.New("not supported")
)

// WithHint attaches to err what a person can do about it, best of all a command.
// It leaves the message as it is, and nil as nil.
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

// WithDetail attaches to err what a tool said when it failed, in full: error messages keep to
// the reason, and a person who asks for more is shown the rest. It leaves nil as nil.
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

// Errorf is [fmt.Errorf] for an error of a kind, one of the Err… values above,
// whose text need not stand in the message.
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
