package snapshots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Draft is a snapshot that is being written.
type Draft struct {
	store *Store
	name  string
	dir   string
	lock  *flock.Flock
}

// Begin starts a snapshot. The caller calls Commit or Discard; if its process is killed, Sweep removes
// the draft. Begin returns ErrExists if there is a snapshot of that name.
func (s *Store) Begin(ctx context.Context, name string) (*Draft, error) {
	if err := providers.ValidateSnapshotName(name); err != nil {
		return nil, err
	}
	if err := s.vacant(name); err != nil {
		return nil, err
	}
	lock, err := s.hold(ctx)
	if err != nil {
		return nil, s.unavailable("write", err)
	}
	d := &Draft{store: s, name: name, lock: lock}
	d.dir, err = os.MkdirTemp(s.dir, draftPrefix) // 0700
	if err == nil {
		err = os.Mkdir(d.Dir(), 0o700)
	}
	if err != nil {
		return nil, errors.Join(s.unavailable("write", err), d.Discard())
	}
	return d, nil
}

// vacant returns ErrExists if there is a snapshot of that name.
func (s *Store) vacant(name string) error {
	if _, err := os.Lstat(s.path(name)); err != nil {
		return nil // if it cannot be read, it cannot be written either
	}
	err := fault.Errorf(fault.ErrExists, "there is a snapshot %q already", name)
	return fault.WithHint(err, "choose another name, or remove it: lab snapshot remove %s", name)
}

const (
	lockAttempts = 100                   // how often another process may remove the store at the same moment
	lockInterval = 20 * time.Millisecond // while Sweep or prune holds the lock
)

// hold takes the shared lock of the store, which keeps Sweep from removing drafts.
func (s *Store) hold(ctx context.Context) (*flock.Flock, error) {
	for n := 1; ; n++ {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return nil, err
		}
		l := flock.New(s.path(lockFile), flock.SetPermissions(0o600))
		_, err := l.TryRLockContext(ctx, lockInterval)
		if err == nil && isFindable(l) {
			return l, nil
		}
		if err == nil {
			err = l.Unlock() // prune removed the file after it was opened
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) || n == lockAttempts {
			return nil, err
		}
	}
}

func isFindable(l *flock.Flock) bool {
	locked, err := l.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(l.Path())
	return err == nil && os.SameFile(locked, found)
}

// Dir returns the directory for the files of the flavor.
func (d *Draft) Dir() string { return filepath.Join(d.dir, dataDir) }

// Commit completes the snapshot, and returns its manifest with the name and the checksums of its
// files. It returns ErrExists if another process completed a snapshot of that name meanwhile. After an
// error, the caller calls Discard.
func (d *Draft) Commit(m Manifest) (Manifest, error) {
	m, err := d.summed(m)
	if err != nil {
		return m, err
	}
	return d.finish(m)
}

// summed returns m with the name and the files of the draft.
func (d *Draft) summed(m Manifest) (Manifest, error) {
	m.Name = d.name
	var err error
	if m.Files, err = sums(d.Dir()); err != nil {
		return m, d.store.unavailable("write", err)
	}
	return m, nil
}

// finish writes the manifest, and gives the snapshot its name.
func (d *Draft) finish(m Manifest) (Manifest, error) {
	data, err := encode(m)
	if err != nil {
		return m, err
	}
	if err := atomicfile.Write(filepath.Join(d.dir, manifestFile), data, 0o600); err != nil {
		return m, d.store.unavailable("write", err)
	}
	if err := d.store.vacant(d.name); err != nil {
		return m, err
	}
	if err := os.Rename(d.dir, d.store.path(d.name)); err != nil {
		if exists := d.store.vacant(d.name); exists != nil {
			return m, exists
		}
		return m, d.store.unavailable("write", err)
	}
	m.Snapshot.Dir = d.store.path(d.name, dataDir)
	return m, d.lock.Unlock()
}

// Discard removes the draft. After Commit it does nothing.
func (d *Draft) Discard() error {
	if !d.lock.RLocked() {
		return nil
	}
	err := os.RemoveAll(d.dir)
	_ = d.lock.Unlock()
	d.store.prune()
	return err
}

// Verify returns ErrForeign unless the files of a snapshot are those of its manifest: complete and
// unchanged. It reads all of them.
func (m Manifest) Verify() error {
	problem := func(path, what string) error {
		err := fault.Errorf(fault.ErrForeign, "the snapshot %q is damaged: %s %s", m.Name, path, what)
		return fault.WithHint(err, "remove it: lab snapshot remove %s; then save or import it again", m.Name)
	}
	for _, f := range m.Files {
		path := filepath.Join(m.Snapshot.Dir, filepath.FromSlash(f.Path))
		size, sum, err := sumOf(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return problem(path, "is missing")
		case err != nil:
			return fault.Errorf(fault.ErrUnavailable, "cannot read the snapshot %q: %w", m.Name, err)
		case size != f.Size:
			return problem(path, "does not have its size")
		case sum != f.SHA256:
			return problem(path, "does not match its checksum")
		}
	}
	return nil
}

// sums returns the files below dir with their checksums.
func sums(dir string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f := File{Path: filepath.ToSlash(relative)}
		f.Size, f.SHA256, err = sumOf(path)
		files = append(files, f)
		return err
	})
	return files, err
}

func sumOf(path string) (size int64, sum string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer file.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// isLocal reports whether a path of a manifest or an archive stays in the directory of the snapshot.
func isLocal(path string) bool {
	return filepath.IsLocal(filepath.FromSlash(path)) && path != "."
}
