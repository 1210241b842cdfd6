package snapshots

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxManifest is the maximum size of a manifest in bytes. It has the definitions and values of addons,
// each of which Kubernetes limits to about 1 MiB.
const maxManifest = 64 << 20

// Export writes a snapshot to w as one file for Import: a gzipped tar with the manifest first. Errors
// are those of [Manifest.Verify] and of w.
func (m Manifest) Export(w io.Writer) error {
	if err := m.Verify(); err != nil {
		return err
	}
	manifest, err := encode(m)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Name: manifestFile, Mode: 0o600, Size: int64(len(manifest))}); err != nil {
		return err
	}
	if _, err := archive.Write(manifest); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := m.pack(archive, f); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

func (m Manifest) pack(archive *tar.Writer, f File) error {
	if err := archive.WriteHeader(&tar.Header{Name: path.Join(dataDir, f.Path), Mode: 0o600, Size: f.Size}); err != nil {
		return err
	}
	in, err := os.Open(filepath.Join(m.Snapshot.Dir, filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(archive, in)
	return err
}

// Import stores the snapshot that Export wrote to r, under name, or under its own name if name is "".
// It returns ErrExists if there is a snapshot of that name, ErrInvalid if r is not an export of this
// version of lab, and ErrForeign if r is truncated or damaged. After an error there is no snapshot.
func (s *Store) Import(ctx context.Context, r io.Reader, name string) (Manifest, error) {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return Manifest{}, unpackError(err)
	}
	archive := tar.NewReader(zipped)
	m, err := readManifest(archive)
	if err != nil {
		return Manifest{}, err
	}
	if name == "" {
		name = m.Name
	}
	d, err := s.Begin(ctx, name)
	if err != nil {
		return Manifest{}, err
	}
	defer func() { _ = d.Discard() }() // if it stays, gc removes it
	if err := d.unpack(ctx, archive, m.Files); err != nil {
		return Manifest{}, err
	}
	if _, err := io.Copy(io.Discard, &source{ctx: ctx, from: zipped}); err != nil { // up to the checksum of gzip
		return Manifest{}, unpackError(err)
	}
	written := m.Files
	if m, err = d.summed(m); err != nil {
		return Manifest{}, err
	}
	if !slices.Equal(written, m.Files) {
		return Manifest{}, unpackError(errors.New("its contents do not match its checksums"))
	}
	return d.finish(m)
}

// readManifest reads the first file of an archive.
func readManifest(archive *tar.Reader) (Manifest, error) {
	h, err := archive.Next()
	if err != nil {
		return Manifest{}, unpackError(err)
	}
	if h.Name != manifestFile || h.Size > maxManifest {
		return Manifest{}, notExport(fmt.Errorf("its first file is %s, not %s", h.Name, manifestFile))
	}
	data, err := io.ReadAll(archive)
	if err != nil {
		return Manifest{}, unpackError(err)
	}
	m, err := decode(data)
	if err != nil {
		return Manifest{}, notExport(err)
	}
	return m, nil
}

// unpack writes the files of an archive into the draft. It writes nothing that the manifest does not name, so that a
// small archive cannot fill the disk.
func (d *Draft) unpack(ctx context.Context, archive *tar.Reader, named []File) error {
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unpackError(err)
		}
		known := func(f File) bool { return path.Join(dataDir, f.Path) == h.Name && f.Size == h.Size }
		if h.Typeflag != tar.TypeReg || !isLocal(h.Name) || !slices.ContainsFunc(named, known) {
			return notExport(fmt.Errorf("it contains %q with %d bytes, which its manifest does not name", h.Name, h.Size))
		}
		if err := d.unpackFile(ctx, filepath.Join(d.dir, filepath.FromSlash(h.Name)), archive); err != nil {
			return err
		}
	}
}

func (d *Draft) unpackFile(ctx context.Context, path string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return d.store.unavailable("write", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return d.store.unavailable("write", err)
	}
	in := &source{ctx: ctx, from: from}
	_, err = io.Copy(file, in)
	if in.err != nil {
		return errors.Join(unpackError(in.err), file.Close())
	}
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return d.store.unavailable("write", err)
	}
	return nil
}

// source remembers the error of a reader, to tell it from those of the writer. It reads nothing after
// ctx has ended.
type source struct {
	ctx  context.Context
	from io.Reader
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// unpackError returns the error of a file that cannot be unpacked.
func unpackError(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, io.EOF): // EOF: an empty file
		return notExport(errors.New("it is not a gzipped archive"))
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it ends too early")
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fault.WithHint(fault.Errorf(fault.ErrInvalid, "cannot read the snapshot: %w", err), "name a file that was written by: lab snapshot export NAME FILE")
	}
	return fault.WithHint(fault.Errorf(fault.ErrForeign, "the file is damaged: %w", err), "copy the file again, or export the snapshot again: lab snapshot export NAME FILE")
}

func notExport(err error) error {
	return fault.WithHint(fault.Errorf(fault.ErrInvalid, "the file is not a snapshot that this version of lab can import: %w", err),
		"use a file that was written by: lab snapshot export NAME FILE")
}
