// Package snapshots stores snapshots of clusters: one directory per snapshot, with a manifest and the
// files that the flavor wrote.
//
//	DIR/snapshots/NAME/snapshot.json   the manifest (0600)
//	DIR/snapshots/NAME/data/           the files of the flavor
//	DIR/snapshots/.draft-RANDOM/       a snapshot that is being written; renamed when it is complete
//	DIR/snapshots/.removed-RANDOM/     a snapshot that is being removed
//	DIR/snapshots/.lock                held, shared, by each process that writes a snapshot
//
// So a snapshot with a name is always complete, and [Store.Sweep] removes what killed processes left.
// DIR/snapshots is removed with the last snapshot, and DIR if it has no other files.
package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/clusterlab-dev/lab/cmd/internal/records"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	manifestFile  = "snapshot.json"
	dataDir       = "data"
	lockFile      = ".lock"
	draftPrefix   = ".draft-"
	removedPrefix = ".removed-"
)

// Store is a directory of snapshots. It is safe for concurrent use, also by other processes.
type Store struct{ dir string }

// Open returns the store below dir. The first snapshot creates it.
func Open(dir string) *Store { return &Store{filepath.Join(dir, "snapshots")} }

// Get returns the manifest of a snapshot. Errors: ErrInvalid for an invalid name, and for a manifest
// that is damaged or that a newer lab wrote; ErrNotFound; ErrUnavailable if the store cannot be read.
func (s *Store) Get(name string) (Manifest, error) {
	if err := providers.ValidateSnapshotName(name); err != nil {
		return Manifest{}, err
	}
	path := s.path(name, manifestFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, s.missing(name)
	}
	if err != nil {
		return Manifest{}, s.unavailable("read", err)
	}
	m, err := decode(data)
	if err == nil && m.Name != name {
		err = fmt.Errorf("it is the manifest of %q", m.Name)
	}
	if err != nil {
		err = fault.Errorf(fault.ErrInvalid, "cannot use the snapshot %q: %s: %w", name, path, err)
		return Manifest{}, fault.WithHint(err, "if you do not need it with another version of lab, remove it: lab snapshot remove %s", name)
	}
	m.Snapshot.Dir = s.path(name, dataDir)
	return m, nil
}

func (s *Store) missing(name string) error {
	err := fault.Errorf(fault.ErrNotFound, "there is no snapshot %q", name)
	if names, _ := s.names(); len(names) > 0 {
		return fault.WithHint(err, "name an existing snapshot: %s", strings.Join(names, ", "))
	}
	return fault.WithHint(err, "there are no snapshots; save one: lab snapshot save %s", name)
}

// List returns the manifests of all snapshots, sorted by name. problems joins the errors of those that
// cannot be used.
func (s *Store) List() (all []Manifest, problems error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	return records.Read(names, s.Get)
}

// Names returns the names of all snapshots, sorted.
func (s *Store) Names() []string {
	names, _ := s.names()
	return names
}

func (s *Store) names() ([]string, error) {
	names, err := records.Names(s.dir, providers.ValidateSnapshotName)
	if err != nil {
		return nil, s.unavailable("read", err)
	}
	return names, nil
}

// Remove removes a snapshot, even one whose manifest cannot be read. A restore that reads the snapshot
// at this moment fails. Errors are those of Get.
func (s *Store) Remove(ctx context.Context, name string) error {
	if err := providers.ValidateSnapshotName(name); err != nil {
		return err
	}
	if _, err := os.Lstat(s.path(name)); errors.Is(err, fs.ErrNotExist) {
		return s.missing(name)
	}
	lock, err := s.hold(ctx)
	if err != nil {
		return s.unavailable("write", err)
	}
	err = s.discard(name)
	_ = lock.Unlock()
	s.prune()
	if errors.Is(err, fs.ErrNotExist) {
		return s.missing(name) // another process removed it
	}
	if err != nil {
		return s.unavailable("write", err)
	}
	return nil
}

// discard removes a snapshot. It moves the snapshot first: half of one must not look complete.
func (s *Store) discard(name string) error {
	trash, err := os.MkdirTemp(s.dir, removedPrefix)
	if err != nil {
		return err
	}
	err = os.Rename(s.path(name), filepath.Join(trash, name))
	return errors.Join(err, os.RemoveAll(trash))
}

// Leftovers returns the directories that killed processes left, or nil while another process writes a
// snapshot.
func (s *Store) Leftovers() []string {
	var left []string
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), draftPrefix) || strings.HasPrefix(e.Name(), removedPrefix) {
			left = append(left, s.path(e.Name()))
		}
	}
	if len(left) == 0 || s.busy() {
		return nil
	}
	return left
}

// Sweep removes the leftovers of killed processes. While another process writes a snapshot, it does
// nothing.
func (s *Store) Sweep() error {
	if len(s.Leftovers()) == 0 {
		return nil
	}
	l := flock.New(s.path(lockFile), flock.SetPermissions(0o600))
	if ok, err := l.TryLock(); !ok || err != nil {
		return nil
	}
	var errs []error
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), draftPrefix) || strings.HasPrefix(e.Name(), removedPrefix) {
			errs = append(errs, os.RemoveAll(s.path(e.Name())))
		}
	}
	_ = l.Unlock()
	s.prune()
	if err := errors.Join(errs...); err != nil {
		return s.unavailable("write", err)
	}
	return nil
}

// busy reports whether a process writes a snapshot.
func (s *Store) busy() bool {
	if _, err := os.Stat(s.path(lockFile)); err != nil {
		return false
	}
	l := flock.New(s.path(lockFile), flock.SetFlag(os.O_RDWR))
	free, err := l.TryLock()
	if free {
		_ = l.Unlock()
	}
	return !free && err == nil
}

// prune removes the directory of the store if it is empty, and the one above it.
func (s *Store) prune() {
	entries, err := os.ReadDir(s.dir)
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != lockFile }) {
		return
	}
	if len(entries) > 0 {
		l := flock.New(s.path(lockFile), flock.SetFlag(os.O_RDWR))
		if ok, err := l.TryLock(); !ok || err != nil {
			return // a process writes a snapshot
		}
		_ = os.Remove(l.Path()) // the next process notices that its lock is gone, see hold
		_ = l.Unlock()
	}
	atomicfile.RemoveEmpty(s.dir, filepath.Dir(s.dir))
}

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *Store) unavailable(verb string, err error) error {
	return atomicfile.Unavailable(err, verb, "the snapshots", s.dir)
}
