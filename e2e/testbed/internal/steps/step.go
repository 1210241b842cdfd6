// Package steps runs the test bed's build: steps that need one another, side by side where they do not compete,
// each only when its inputs have changed.
package steps

import (
	"context"
	"io"
)

// Step makes one product: a program, a root file system, an image, a running service.
type Step struct {
	Name  string
	Needs []string // names of the steps whose products this one is made from

	// Lane is what the step keeps busy ("go", "debian", "docker"). Two steps of one lane never run together: a
	// compiler already uses every core, and apt holds a lock.
	Lane string

	// Inputs digests what the step is made from besides Needs. With the products of Needs it gives the step's key,
	// and a step whose key is the one it was last made with is not made again.
	Inputs func() (string, error)

	// Present tells whether the product that bears key is still there; a person may have removed it. A step without
	// Present is a service, and Make is called each time: it must see for itself that there is nothing to do.
	Present func(ctx context.Context, key string) bool

	// Make makes the product, writes what it does to log, and returns a digest of what it made. Steps that need it
	// are keyed by that digest and not by the inputs, so that an edit which changes nothing stops there.
	Make func(ctx context.Context, key string, log io.Writer) (product string, err error)
}
