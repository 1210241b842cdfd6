package bundles

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// expected is the content that a bundle must still deliver. Only content that an earlier manifest references is stored, so
// that the root authenticates everything in the store.
type expected struct {
	bundle Bundle
	known  map[digest.Digest]ocispec.Descriptor
	taken  map[digest.Digest]bool
	owner  map[digest.Digest]int // the item that content belongs to, by its index
	bytes  int64                 // the size of what was taken
}

func newExpected(b Bundle) *expected {
	e := &expected{bundle: b, known: map[digest.Digest]ocispec.Descriptor{}, taken: map[digest.Digest]bool{}, owner: map[digest.Digest]int{}}
	for i, item := range b.Items {
		e.expect(i, item.manifest)
	}
	return e
}

func (e *expected) expect(item int, list ...ocispec.Descriptor) {
	for _, d := range list {
		if _, known := e.known[d.Digest]; !known {
			e.known[d.Digest], e.owner[d.Digest] = d, item
		}
	}
}

// take returns the full descriptor of content that has arrived. It returns an error if no manifest references it.
func (e *expected) take(d ocispec.Descriptor) (ocispec.Descriptor, error) {
	known, ok := e.known[d.Digest]
	switch {
	case !ok:
		return d, fault.Errorf(fault.ErrInvalid, "it contains %s, which no item before it names", d.Digest)
	case known.Size != d.Size:
		return d, damaged("%s has %d bytes, and must have %d", e.describe(d.Digest), d.Size, known.Size)
	}
	e.taken[d.Digest] = true
	e.bytes += d.Size
	return known, nil
}

// verify reads content and checks its digest. It returns the content of a manifest.
func (e *expected) verify(ctx context.Context, d ocispec.Descriptor, r io.Reader) ([]byte, error) {
	var data bytes.Buffer
	w := io.Discard
	if d.Size <= maxManifest {
		w = &data
	}
	checked := content.NewVerifyReader(r, d)
	_, err := io.Copy(w, checked)
	if err == nil {
		err = checked.Verify()
	}
	if err != nil {
		return nil, e.wrong(d, err)
	}
	return data.Bytes(), ctx.Err()
}

// wrong returns the error of content that could not be read or stored.
func (e *expected) wrong(d ocispec.Descriptor, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fault.Errorf(fault.ErrUnavailable, "cannot store %s: %w", e.describe(d.Digest), err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends within %s", e.describe(d.Digest))
	}
	return damaged("%s does not match its digest", e.describe(d.Digest))
}

// expectBelow adds the content that a manifest references.
func (e *expected) expectBelow(d ocispec.Descriptor, data []byte) error {
	below, err := content.Successors(context.Background(), given{d.Digest: data}, d)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "%s: %w", e.describe(d.Digest), err)
	}
	e.expect(e.owner[d.Digest], below...)
	return nil
}

// complete returns ErrForeign if content is missing.
func (e *expected) complete() error {
	var first digest.Digest
	missing := 0
	for i := range e.bundle.Items { // in the order of the items
		for d, owner := range e.owner {
			if owner == i && !e.taken[d] {
				missing++
				first = d
			}
		}
		if missing > 0 {
			return damaged("%s is missing", e.describe(first))
		}
	}
	return nil
}

func (e *expected) describe(d digest.Digest) string { return e.bundle.describe(e.owner, d) }

// given is content in memory.
type given map[digest.Digest][]byte

// Fetch implements [content.Fetcher].
func (g given) Fetch(_ context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	data, ok := g[d.Digest]
	if !ok {
		return nil, errdef.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}
