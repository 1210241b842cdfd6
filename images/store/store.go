// Package store keeps images and other OCI content on disk, as an OCI image layout:
//
//	DIR/oci-layout          the version of the layout
//	DIR/index.json          tags and pins
//	DIR/blobs/sha256/HEX    complete, verified content; the time of its file says when it was last used
//	DIR/ingest/             content that is being written
//	DIR/public/HEX-HASH     marks a blob that the repository with this hash serves without authentication
//	DIR/leases/             a file per process that works with content, locked by it; see [Store.Lease]
//	DIR/.lock               held while tags and pins change, and while blobs are removed
//	DIR/.writers            held, shared, by each process that writes content
//
// A blob appears in one step, when its bytes are on the disk and match its digest. A killed process leaves
// a file in ingest, which the next writer removes. The store is safe for concurrent use, also by other
// processes. It implements [oras.Target].
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/errdef"
)

// DefaultReserve is the free space in bytes that a store leaves to other programs. Docker and the nodes of
// clusters fail in confusing ways on a full disk; kubelets evict pods long before it is full.
const DefaultReserve = 2e9

// ErrFull is the error of content that does not fit into the store even if everything that is not pinned is removed, or
// that would nearly fill the disk.
var ErrFull = errors.New("no space left for cached images")

// ErrDamaged is the error of a blob that does not match its digest.
var ErrDamaged = errors.New("does not match its digest")

// Options limit the size of a store.
type Options struct {
	// Limit is the maximum size of the store in bytes. To stay below it, the store removes blobs that are not
	// pinned, the least recently used first. 0 means no limit.
	Limit int64
	// Reserve is the free space of the disk, in bytes, below which the store accepts nothing. 0 means
	// DefaultReserve.
	Reserve int64
	// Free returns the free space, in bytes, of the disk of a directory. nil asks the operating system.
	Free func(dir string) (int64, error)
	// Now returns the time. nil means time.Now.
	Now func() time.Time
}

// Store is a directory of content.
type Store struct {
	dir    string
	opts   Options
	leased bool // what is looked up stays

	mu      sync.Mutex
	flights map[digest.Digest]*flight
}

var _ oras.Target = (*Store)(nil)

// Open returns the store in dir. The first write creates the directory.
func Open(dir string, opts Options) *Store {
	if opts.Reserve == 0 {
		opts.Reserve = DefaultReserve
	}
	if opts.Free == nil {
		opts.Free = free
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Store{dir: dir, opts: opts, flights: map[digest.Digest]*flight{}}
}

// Dir returns the directory of the store.
func (s *Store) Dir() string { return s.dir }

// Fetch returns the content of a descriptor. It is a [*Blob]. Errors: errdef.ErrNotFound.
func (s *Store) Fetch(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	blob, err := s.Open(ctx, d.Digest)
	if err != nil {
		return nil, err
	}
	return blob, nil
}

// Exists reports whether the content of a descriptor is stored, with its size, and marks it as used.
func (s *Store) Exists(ctx context.Context, d ocispec.Descriptor) (exists bool, err error) {
	if !s.leased {
		return s.exists(d)
	}
	err = s.locked(ctx, func() (err error) { // else a removal that has listed the content could remove it afterwards
		exists, err = s.exists(d)
		return err
	})
	return exists, err
}

func (s *Store) exists(d ocispec.Descriptor) (bool, error) {
	path, err := s.blobPath(d.Digest)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.touch(path, info)
	return info.Size() == d.Size, nil
}

// Open returns the content of a digest. Errors: errdef.ErrNotFound.
func (s *Store) Open(_ context.Context, d digest.Digest) (*Blob, error) {
	path, err := s.blobPath(d)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", d, errdef.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	blob := &stored{file: f, digest: d, size: info.Size(), sum: d.Algorithm().Hash()}
	if blob.size == 0 && d != digest.FromString("") {
		return nil, errors.Join(fmt.Errorf("%s: %w", d, errdef.ErrNotFound), blob.damaged(), f.Close())
	}
	s.touch(path, info)
	return &Blob{source: blob, size: blob.size}, nil
}

// touch records that a blob is used now. A minute is precise enough and saves most writes, except for a lease, which
// protects what is used after its beginning.
func (s *Store) touch(path string, info fs.FileInfo) {
	if now := s.opts.Now(); s.leased || now.Sub(info.ModTime()).Abs() > time.Minute {
		_ = os.Chtimes(path, now, now)
	}
}

// blobPath returns the path of a blob. Errors: errdef.ErrInvalidDigest for all but SHA-256, the only
// algorithm that registries and container engines use.
func (s *Store) blobPath(d digest.Digest) (string, error) {
	if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
		return "", fmt.Errorf("%q: %w", d, errdef.ErrInvalidDigest)
	}
	return filepath.Join(s.blobs(), d.Encoded()), nil
}

func (s *Store) blobs() string  { return filepath.Join(s.dir, "blobs", digest.SHA256.String()) }
func (s *Store) ingest() string { return filepath.Join(s.dir, "ingest") }

// locked calls f while no other process or goroutine changes tags and pins, or removes blobs.
func (s *Store) locked(ctx context.Context, f func() error) (err error) {
	unlock, err := s.hold(ctx, ".lock", (*flock.Flock).TryLockContext)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return f()
}

// hold creates the layout where it does not exist, and locks one of its files.
func (s *Store) hold(ctx context.Context, name string, try func(*flock.Flock, context.Context, time.Duration) (bool, error)) (unlock func() error, err error) {
	for _, dir := range []string{s.blobs(), s.ingest()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	lock := flock.New(filepath.Join(s.dir, name), flock.SetPermissions(0o600))
	if _, err := try(lock, ctx, 10*time.Millisecond); err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", lock.Path(), err)
	}
	return lock.Unlock, nil
}
