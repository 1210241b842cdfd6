package bundles

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const blobsDir = "blobs/sha256"

// write writes the bundle with a root to w. The root comes first, and parents before their children, so that a reader can
// check each item before it stores it. Equal bundles have equal bytes.
func (b *Bundles) write(ctx context.Context, w io.Writer, root ocispec.Descriptor, moved func(done int64)) error {
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{root},
	})
	if err != nil {
		return err
	}
	layout, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return err
	}
	list, err := tree(ctx, b.Store, root)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, f := range []struct {
		name string
		data []byte
	}{{ocispec.ImageLayoutFile, layout}, {ocispec.ImageIndexFile, index}} {
		if err := addFile(archive, f.name, int64(len(f.data)), strings.NewReader(string(f.data))); err != nil {
			return err
		}
	}
	var done int64
	for _, d := range list {
		if err := addBlob(ctx, archive, b.Store, d); err != nil {
			return err
		}
		done += d.Size
		moved(done)
	}
	return archive.Close()
}

func addBlob(ctx context.Context, archive *tar.Writer, from content.Fetcher, d ocispec.Descriptor) error {
	blob, err := from.Fetch(ctx, d)
	if err != nil {
		return err
	}
	return errors.Join(addFile(archive, path.Join(blobsDir, d.Digest.Encoded()), d.Size, blob), blob.Close())
}

// lost returns err with a hint, and as ErrForeign, if it says that content of the store is missing or damaged. The store
// has removed damaged content, so that it can be stored again.
func lost(err error, hint string) error {
	if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, errdef.ErrNotFound) && !errors.Is(err, io.EOF) {
		return err
	}
	return fault.WithHint(fault.Errorf(fault.ErrForeign, "content of lab's cache is missing or damaged: %w", err), "%s", hint)
}

func addFile(archive *tar.Writer, name string, size int64, from io.Reader) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o444, Size: size, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := io.CopyN(archive, from, size)
	return err
}

// reader reads a bundle from a file.
type reader struct {
	archive *tar.Reader
	bundle  Bundle
	root    ocispec.Descriptor
	data    []byte // of the root
}

// open reads the beginning of a file, up to the root. r should be an [io.Seeker], so that content that is not wanted is
// skipped. It returns ErrInvalid if the file is not a bundle, ErrForeign if it is damaged, and the errors of decode.
func open(r io.Reader) (*reader, error) {
	in := &reader{archive: tar.NewReader(r)}
	index, err := in.file(ocispec.ImageIndexFile)
	if err != nil {
		return nil, err
	}
	var layout ocispec.Index
	if err := json.Unmarshal(index, &layout); err != nil || len(layout.Manifests) != 1 {
		return nil, fault.Errorf(fault.ErrInvalid, "it is not a bundle of lab")
	}
	in.root = layout.Manifests[0]
	if err := in.root.Digest.Validate(); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "it is not a bundle of lab: %w", err)
	}
	if in.data, err = in.file(path.Join(blobsDir, in.root.Digest.Encoded())); err != nil {
		return nil, err
	}
	if digest.FromBytes(in.data) != in.root.Digest {
		return nil, damaged("its root %s does not match its digest", in.root.Digest)
	}
	in.bundle, err = decode(in.data)
	return in, err
}

// file returns the content of one of the first files of the archive. They are all small.
func (in *reader) file(name string) ([]byte, error) {
	for range 3 {
		h, err := in.archive.Next()
		if err != nil {
			return nil, fault.Errorf(fault.ErrInvalid, "it is not a bundle of lab: %w", err)
		}
		if h.Size > maxManifest {
			break
		}
		data, err := io.ReadAll(in.archive)
		if err != nil {
			return nil, damaged("it is incomplete: %w", err)
		}
		if h.Name == name {
			return data, nil
		}
	}
	return nil, fault.Errorf(fault.ErrInvalid, "it is not a bundle of lab: %s is not at its beginning", name)
}

// next returns the descriptor of the next content, which the archive then reads, or io.EOF.
func (in *reader) next() (ocispec.Descriptor, error) {
	h, err := in.archive.Next()
	if errors.Is(err, io.EOF) {
		return ocispec.Descriptor{}, err
	}
	if err != nil {
		return ocispec.Descriptor{}, damaged("it is incomplete: %w", err)
	}
	d := digest.NewDigestFromEncoded(digest.SHA256, path.Base(h.Name))
	if path.Dir(h.Name) != blobsDir || h.Typeflag != tar.TypeReg || d.Validate() != nil {
		return ocispec.Descriptor{}, fault.Errorf(fault.ErrInvalid, "it contains %q, which is not part of a bundle", h.Name)
	}
	return ocispec.Descriptor{MediaType: dataType, Digest: d, Size: h.Size}, nil
}

// VerifyFile reads all of a bundle in a file. It returns ErrForeign for the first content that is missing or does not
// match its digest, and the errors of open.
func VerifyFile(ctx context.Context, r io.Reader, moved func(done int64)) (Bundle, error) {
	in, err := open(r)
	if err != nil {
		return Bundle{}, err
	}
	e := newExpected(in.bundle)
	var done int64
	for {
		d, err := in.next()
		if errors.Is(err, io.EOF) {
			return in.bundle, e.complete()
		}
		if err != nil {
			return Bundle{}, err
		}
		known, err := e.take(d)
		if err != nil {
			return Bundle{}, err
		}
		data, err := e.verify(ctx, known, in.archive)
		if err != nil {
			return Bundle{}, err
		}
		if err := e.expectBelow(known, data); err != nil {
			return Bundle{}, err
		}
		done += d.Size
		moved(done)
	}
}

func damaged(what string, args ...any) error {
	return fault.WithHint(fault.Errorf(fault.ErrForeign, "it is damaged: "+what, args...), "copy the file again, or create it again: lab bundle create")
}
