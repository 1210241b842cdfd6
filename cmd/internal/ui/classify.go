package ui

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// class is one kind of failure, as scripts see it.
type class struct {
	kind   error
	code   int
	reason string
}

// classes returns the contract. Where one error is several of these at the same
// depth, the first counts.
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

// coded is an error whose exit code says more than its kind.
type coded struct {
	error
	code int
}

func (c *coded) Unwrap() error { return c.error }

// WithCode gives err an exit code in place of that of its kind, which still names the
// reason. nil stays nil.
func WithCode(err error, code int) error {
	if err == nil {
		return nil
	}
	return &coded{err, code}
}

// Classify returns the exit code of err and its name, 0 and "" for nil.
//
// An interrupt counts wherever it is found, as everything else that failed then failed
// because of it. Of all other kinds the outermost counts: who wrapped an error last
// knew most. So an engine that did not answer in two seconds is Unavailable, if its
// adapter says so, and ten minutes of waiting that ended with an unavailable engine
// are a Timeout. See [WithCode] for errors that have a code of their own.
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

// is tells whether err itself, without what it wraps, is of a kind.
func is(err, kind error) bool {
	if err == kind {
		return true
	}
	matcher, ok := err.(interface{ Is(error) bool })
	return ok && matcher.Is(kind)
}

// unwrap returns what the errors of one level wrap.
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
