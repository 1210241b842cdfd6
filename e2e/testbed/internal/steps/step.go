// Package steps runs the build of the test bed. Steps run in parallel, except those that compete for a resource, and
// only if their inputs have changed.
package steps

import (
	"context"
	"io"
)

// Step builds one product: a program, a root file system, an image, a running service.
type Step struct {
	Name  string
	Needs []string // names of the steps whose products this one uses

	// Lane is the resource that the step uses ("go", "debian", "docker"). Two steps of one lane never run in
	// parallel: a compiler already uses every core, and apt holds a lock.
	Lane string

	// Inputs returns a digest of the step's inputs besides Needs. It forms the step's key with the products of Needs.
	// A step whose key has not changed is skipped.
	Inputs func() (string, error)

	// Present reports whether the product with the key still exists, because a user may have removed it. A step
	// without Present is a service: Make is called each time, and must find out whether there is anything to do.
	Present func(ctx context.Context, key string) bool

	// Make builds the product, writes its output to log, and returns a digest of the product. The digest is part of
	// the key of dependent steps, so an edit without effect on the product does not rebuild them.
	Make func(ctx context.Context, key string, log io.Writer) (product string, err error)
}
