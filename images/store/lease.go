package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Lease returns a store in the same directory for work that takes a while, such as an import. What is stored or looked
// up through it is not removed before release is called or the process ends: neither by [Store.Prune] nor for space nor
// by [Store.Drop].
func (s *Store) Lease(ctx context.Context) (leased *Store, release func() error, err error) {
	var lock *flock.Flock
	err = s.locked(ctx, func() (err error) { // so that no process takes the new file for one of a killed process
		lock, err = s.newLease()
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("cannot lease the content of %s: %w", s.dir, err)
	}
	leased = Open(s.dir, s.opts)
	leased.leased = true
	return leased, func() error {
		return errors.Join(lock.Unlock(), removed(lock.Path())) // in this order, for Windows
	}, nil
}

// newLease creates and locks the file of a lease. The time of the file is the beginning of the lease.
func (s *Store) newLease() (*flock.Flock, error) {
	if err := os.MkdirAll(s.leases(), 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.leases(), "")
	if err != nil {
		return nil, asFull(err)
	}
	lock := flock.New(f.Name(), flock.SetPermissions(0o600))
	if _, err := lock.TryLock(); err != nil {
		return nil, errors.Join(err, f.Close(), removed(f.Name()))
	}
	return lock, f.Close()
}

// inUse returns the time since which content that was used may not be removed: the beginning of the oldest lease or,
// without a lease, a time after now. It removes the files of killed processes. The caller holds the lock.
func (s *Store) inUse() (since time.Time, err error) {
	since = time.Now().Add(100 * 365 * 24 * time.Hour)
	entries, err := os.ReadDir(s.leases())
	if errors.Is(err, fs.ErrNotExist) {
		return since, nil
	}
	for _, e := range entries {
		path := filepath.Join(s.leases(), e.Name())
		info, problem := os.Stat(path)
		if problem != nil { // released in the meantime
			continue
		}
		lock := flock.New(path, flock.SetPermissions(0o600))
		free, problem := lock.TryLock()
		if problem == nil && free {
			err = errors.Join(err, lock.Unlock(), removed(path))
			continue
		}
		if info.ModTime().Before(since) {
			since = info.ModTime()
		}
	}
	return since, err
}

func (s *Store) leases() string { return filepath.Join(s.dir, "leases") }

// removed removes a file that may be gone.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
