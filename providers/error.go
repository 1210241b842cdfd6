package providers

import "fmt"

// Error says which operation failed, on what. [Set] adds it, once, to every error
// that leaves it.
type Error struct {
	Op       string // "create", "delete", …
	Provider string // "kind"; may be empty
	Cluster  string // may be empty
	Err      error
}

// Error returns all of it in one line: `kwok: create cluster "lab": …`.
func (e *Error) Error() string {
	s := e.Op
	if e.Cluster != "" {
		s += fmt.Sprintf(" cluster %q", e.Cluster)
	}
	if e.Provider != "" {
		s = e.Provider + ": " + s
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
