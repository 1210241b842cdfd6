package store

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
)

// recheck is how many bytes are written between two checks of the free space.
const recheck = 16 << 20

// Push stores content. Errors: errdef.ErrAlreadyExists; ErrFull; errdef.ErrInvalidDigest; and an error if the
// bytes do not match the descriptor. After an error, nothing is stored.
func (s *Store) Push(ctx context.Context, d ocispec.Descriptor, r io.Reader) (err error) {
	if exists, err := s.Exists(ctx, d); err != nil || exists {
		return errors.Join(err, already(d, exists))
	}
	if err := s.makeRoom(ctx, d.Size); err != nil {
		return err
	}
	w, err := s.newWriter(ctx, d.Digest, d.Size)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return errors.Join(err, w.abort())
	}
	return w.commit()
}

func already(d ocispec.Descriptor, exists bool) error {
	if !exists {
		return nil
	}
	return fmt.Errorf("%s: %w", d.Digest, errdef.ErrAlreadyExists)
}

// writer is content that is being written to a file in ingest.
type writer struct {
	store  *Store
	digest digest.Digest
	file   *os.File
	unlock func() error

	sum     hash.Hash
	size    int64 // -1 if it is not known
	written int64
	checked int64 // bytes that were written when the free space was last checked
}

// newWriter returns a writer for content of a size in bytes, or of -1 if the size is not known.
func (s *Store) newWriter(ctx context.Context, d digest.Digest, size int64) (*writer, error) {
	if _, err := s.blobPath(d); err != nil {
		return nil, err
	}
	unlock, err := s.hold(ctx, ".writers", (*flock.Flock).TryRLockContext)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.ingest(), d.Encoded()+"-*")
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	return &writer{store: s, digest: d, file: f, unlock: unlock, sum: digest.SHA256.Hash(), size: size}, nil
}

// Write writes and hashes p. Errors: ErrFull; ErrDamaged if there is more than the size.
func (w *writer) Write(p []byte) (int, error) {
	if w.size >= 0 && w.written+int64(len(p)) > w.size {
		return 0, fmt.Errorf("%s %w: it is larger than %d bytes", w.digest, ErrDamaged, w.size)
	}
	if w.written-w.checked >= recheck {
		if err := w.store.checkFree(0); err != nil {
			return 0, err
		}
		w.checked = w.written
	}
	n, err := w.file.Write(p)
	w.sum.Write(p[:n])
	w.written += int64(n)
	return n, asFull(err)
}

// verify returns an error unless all bytes were written, and are those that the digest names.
func (w *writer) verify() error {
	switch got := digest.NewDigest(digest.SHA256, w.sum); {
	case w.size >= 0 && w.written != w.size:
		return fmt.Errorf("%s is incomplete: %d of %d bytes: %w", w.digest, w.written, w.size, io.ErrUnexpectedEOF)
	case got != w.digest:
		return fmt.Errorf("%s %w: it has %s", w.digest, ErrDamaged, got)
	}
	return nil
}

// commit verifies the content and makes it visible.
func (w *writer) commit() error {
	if err := w.publish(w.file.Close); err != nil {
		return errors.Join(err, w.abort())
	}
	return w.unlock()
}

// publish verifies the content, writes it to the disk, and renames its file. beforeRename runs in between:
// Windows does not rename open files.
func (w *writer) publish(beforeRename func() error) error {
	if err := w.verify(); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return asFull(err)
	}
	if err := beforeRename(); err != nil {
		return err
	}
	if err := w.store.writeLayout(); err != nil {
		return err
	}
	path, err := w.store.blobPath(w.digest)
	if err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// abort removes the file.
func (w *writer) abort() error {
	err := w.file.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return errors.Join(err, os.Remove(w.file.Name()), w.unlock())
}

// writeLayout writes the file oci-layout, by which other programs recognize an OCI image layout.
func (s *Store) writeLayout() error {
	path := filepath.Join(s.dir, ocispec.ImageLayoutFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return atomicfile.Write(path, []byte(`{"imageLayoutVersion":"`+ocispec.ImageLayoutVersion+`"}`), 0o600)
}

// sweep removes leftovers of killed processes from ingest. It does nothing while another process writes.
func (s *Store) sweep() error {
	lock := flock.New(filepath.Join(s.dir, ".writers"), flock.SetPermissions(0o600))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return err
	}
	entries, err := os.ReadDir(s.ingest())
	for _, e := range entries {
		err = errors.Join(err, os.Remove(filepath.Join(s.ingest(), e.Name())))
	}
	return errors.Join(err, lock.Unlock())
}

// syncDir makes a rename in dir durable. It ignores errors, because not every file system supports that.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
