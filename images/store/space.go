package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/providers/event"
)

// maxManifest is the size in bytes of the largest manifest that is read into memory. Registries accept 4 MiB.
const maxManifest = 8 << 20

// Usage is an amount of content.
type Usage struct {
	Blobs  int   // number of blobs
	Bytes  int64 // their size
	Pinned int64 // size of those that are pinned
}

// Usage returns what is stored.
func (s *Store) Usage(ctx context.Context) (Usage, error) {
	files, err := s.list()
	if err != nil {
		return Usage{}, err
	}
	pinned, err := s.pinned(ctx)
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	for _, f := range files {
		u.add(f, pinned[f.digest])
	}
	return u, nil
}

func (u *Usage) add(f file, pinned bool) {
	u.Blobs++
	u.Bytes += f.size
	if pinned {
		u.Pinned += f.size
	}
}

// Prune removes leftovers of killed processes, then blobs that are neither pinned nor leased, the least recently used
// first, until at most keep bytes are stored. It returns what it removed.
func (s *Store) Prune(ctx context.Context, keep int64) (removed Usage, err error) {
	if _, err := os.Stat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return Usage{}, nil
	}
	err = s.locked(ctx, func() error {
		if err := s.sweep(); err != nil {
			return err
		}
		_, removed, err = s.shrink(ctx, keep)
		return err
	})
	return removed, err
}

// makeRoom makes room for content of a size in bytes, or of -1 if the size is not known. Errors: ErrFull.
func (s *Store) makeRoom(ctx context.Context, size int64) error {
	size = max(size, 0)
	if err := s.checkFree(size); err != nil {
		return err
	}
	return s.locked(ctx, func() error {
		if err := s.sweep(); err != nil || s.opts.Limit == 0 {
			return err
		}
		left, _, err := s.shrink(ctx, s.opts.Limit-size)
		if err == nil && left+size > s.opts.Limit {
			err = fmt.Errorf("%w: the limit is %d bytes", ErrFull, s.opts.Limit)
		}
		return err
	})
}

// CheckFree returns ErrFull unless the disk has room for size bytes more.
func (s *Store) CheckFree(size int64) error { return s.checkFree(size) }

// checkFree checks that the disk has room for size bytes and the reserve. Errors: ErrFull.
func (s *Store) checkFree(size int64) error {
	free, err := s.opts.Free(s.dir)
	if err != nil {
		return fmt.Errorf("cannot determine the free space of %s: %w", s.dir, err)
	}
	if free-size < s.opts.Reserve {
		return fmt.Errorf("%w: the disk of %s has %s left, and needs %s for the content and %s that stay free for other programs",
			ErrFull, s.dir, event.Size(free), event.Size(size), event.Size(s.opts.Reserve))
	}
	return nil
}

// asFull returns ErrFull for the error of a full disk, and other errors unchanged.
func asFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// file is the file of a blob.
type file struct {
	digest digest.Digest
	size   int64
	used   time.Time
}

// list returns the files of all blobs.
func (s *Store) list() ([]file, error) {
	entries, err := os.ReadDir(s.blobs())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		info, err := e.Info()
		d := digest.NewDigestFromEncoded(digest.SHA256, e.Name())
		if err != nil || d.Validate() != nil { // removed in the meantime, or not a blob
			continue
		}
		files = append(files, file{d, info.Size(), info.ModTime()})
	}
	return files, nil
}

// shrink removes blobs until at most keep bytes are left, or only pinned and leased ones. The caller holds the lock.
func (s *Store) shrink(ctx context.Context, keep int64) (left int64, removed Usage, err error) {
	files, err := s.list()
	if err != nil {
		return 0, Usage{}, err
	}
	for _, f := range files {
		left += f.size
	}
	if left <= keep {
		return left, Usage{}, nil
	}
	pinned, err := s.pinned(ctx)
	if err != nil {
		return left, Usage{}, err
	}
	since, err := s.inUse()
	if err != nil {
		return left, Usage{}, err
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.digest, b.digest)) })
	for _, f := range files {
		if left <= keep || pinned[f.digest] || !f.used.Before(since) {
			continue
		}
		// Windows does not remove files that are being read.
		if err := os.Remove(filepath.Join(s.blobs(), f.digest.Encoded())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		left -= f.size
		removed.add(f, false)
	}
	return left, removed, errors.Join(s.dropTags(), s.dropPublic())
}

// dropTags removes the tags of manifests that are no longer stored.
func (s *Store) dropTags() error {
	index, err := s.readIndex()
	if err != nil {
		return err
	}
	before := len(index.Manifests)
	index.Manifests = slices.DeleteFunc(index.Manifests, func(e ocispec.Descriptor) bool {
		return e.Annotations[pinKey] == "" && !s.has(e)
	})
	if len(index.Manifests) == before {
		return nil
	}
	return s.writeIndex(index)
}

// has is [Store.Exists] without marking the blob as used.
func (s *Store) has(d ocispec.Descriptor) bool { return s.size(d.Digest) == d.Size }

// size returns the size in bytes of the file of a blob, or -1 if there is no file.
func (s *Store) size(d digest.Digest) int64 {
	path, err := s.blobPath(d)
	if err != nil {
		return -1
	}
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// pinned returns the digests of all pins and of what is reachable from them. A manifest that is damaged is pinned, too:
// one bad root must not stop the removal of other content.
func (s *Store) pinned(ctx context.Context) (map[digest.Digest]bool, error) {
	pins, err := s.Pins(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[digest.Digest]bool{}
	for name, root := range pins {
		if err := s.reach(ctx, root, seen); err != nil {
			return nil, fmt.Errorf("pin %q: %w", name, err)
		}
	}
	return seen, nil
}

// reach adds to seen what is reachable from root.
func (s *Store) reach(ctx context.Context, root ocispec.Descriptor, seen map[digest.Digest]bool) error {
	return s.walk(ctx, root, seen, func(_ ocispec.Descriptor, err error) error {
		if _, ok := errors.AsType[*fs.PathError](err); ok { // what is below may be intact
			return err
		}
		return ctx.Err()
	})
}

// Drop removes pins and the content that only they reach: neither another pin, nor a tag that a registry was asked for.
func (s *Store) Drop(ctx context.Context, names ...string) error {
	return s.locked(ctx, func() error {
		kept, dropped := map[digest.Digest]bool{}, map[digest.Digest]bool{}
		if err := s.divide(ctx, names, kept, dropped); err != nil {
			return err
		}
		for _, name := range names {
			if err := s.replace(pinKey, name, nil); err != nil {
				return err
			}
		}
		since, err := s.inUse()
		if err != nil {
			return err
		}
		for d := range dropped {
			if kept[d] {
				continue
			}
			path, err := s.blobPath(d)
			if err != nil {
				continue // it cannot be stored
			}
			if info, err := os.Stat(path); err == nil && !info.ModTime().Before(since) {
				continue // leased
			}
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return errors.Join(s.dropTags(), s.dropPublic())
	})
}

// divide adds what is reachable from the pins with these names to dropped, and what is reachable from all others to kept.
func (s *Store) divide(ctx context.Context, names []string, kept, dropped map[digest.Digest]bool) error {
	pins, err := s.Pins(ctx)
	if err != nil {
		return err
	}
	for name, root := range pins {
		seen := kept
		if slices.Contains(names, name) {
			seen = dropped
		}
		if err := s.reach(ctx, root, seen); err != nil {
			return fmt.Errorf("pin %q: %w", name, err)
		}
	}
	tags, err := s.Tags(ctx)
	for _, t := range tags {
		if !t.Checked.IsZero() {
			err = errors.Join(err, s.reach(ctx, t.Descriptor, kept))
		}
	}
	return err
}

// Missing returns what is reachable from root but not stored. It returns an error for a manifest that is damaged.
func (s *Store) Missing(ctx context.Context, root ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	var missing []ocispec.Descriptor
	err := s.walk(ctx, root, map[digest.Digest]bool{}, func(d ocispec.Descriptor, err error) error {
		if err == nil && !s.has(d) {
			missing = append(missing, d)
		}
		return err
	})
	return missing, err
}

// Verify reads everything that is reachable from root. It calls report with each descriptor, and with an error if
// its content is missing or damaged. Damaged content is removed, so that it can be fetched again.
func (s *Store) Verify(ctx context.Context, root ocispec.Descriptor, report func(ocispec.Descriptor, error)) error {
	return s.walk(ctx, root, map[digest.Digest]bool{}, func(d ocispec.Descriptor, err error) error {
		if err == nil {
			err = s.verify(ctx, d)
		}
		report(d, err)
		return ctx.Err()
	})
}

func (s *Store) verify(ctx context.Context, d ocispec.Descriptor) error {
	blob, err := s.Open(ctx, d.Digest)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, blob)
	if err == nil && blob.Size() != d.Size {
		err = fmt.Errorf("it has %d bytes, and must have %d", blob.Size(), d.Size)
	}
	return errors.Join(err, blob.Close())
}

// walk visits root and everything reachable from it that seen does not contain, parents before children. It visits a
// manifest that cannot be read a second time, with the error.
func (s *Store) walk(ctx context.Context, root ocispec.Descriptor, seen map[digest.Digest]bool, visit func(ocispec.Descriptor, error) error) error {
	for todo := []ocispec.Descriptor{root}; len(todo) > 0; {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		if err := visit(d, nil); err != nil {
			return err
		}
		if d.Size > maxManifest { // a layer, or nothing that this program would have written
			continue
		}
		children, err := content.Successors(ctx, s, d)
		if err != nil && !errors.Is(err, errdef.ErrNotFound) {
			if err := visit(d, err); err != nil {
				return err
			}
			continue
		}
		todo = append(todo, children...)
	}
	return nil
}
