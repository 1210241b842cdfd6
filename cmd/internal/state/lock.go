package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const pollInterval = 20 * time.Millisecond

// Lock makes the caller the only lab, among all processes and goroutines, that
// works on the cluster name, until it calls unlock or its process ends, however it
// ends. The cluster need not exist. While another lab holds the lock, Lock waits
// for s.Patience and then returns ErrUnavailable with the other's process id; when
// ctx ends, its error. unlock may be called more than once.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := providers.ValidateName(name); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(s.Patience)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("waiting for the lock of cluster %q: %w", name, err)
		}
		l, err := s.tryLock(name, lockFile)
		switch {
		case l != nil:
			return func() { s.unlock(name, l) }, nil
		case err != nil && !vanishing(err):
			return nil, s.unavailable("lock", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-deadline.C:
			if err != nil {
				return nil, s.unavailable("lock", err)
			}
			return nil, s.busy(name)
		}
	}
}

// vanishing tells errors that come from the one before, who is just removing the
// directory; unless they last.
func vanishing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)
}

// tryLock returns nil, nil where another lab holds the lock on the cluster's file.
func (s *Store) tryLock(name, file string) (*flock.Flock, error) {
	path := s.path(name, file)
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if ok, err := l.TryLock(); !ok || err != nil {
		return nil, err
	}
	// The one before may have removed the file between our opening and locking it.
	// Then the lock is on a file that nobody else will find, and worth nothing.
	if !findable(l) {
		return nil, l.Unlock()
	}
	if err := writeHolder(path); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return l, nil
}

func findable(l *flock.Flock) bool {
	locked, err := l.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(l.Path())
	return err == nil && os.SameFile(locked, found)
}

// unlock also removes what remains of a cluster that has no record.
func (s *Store) unlock(name string, l *flock.Flock) {
	if !l.Locked() {
		return
	}
	_, err := os.Stat(s.path(name, recordFile))
	gone := errors.Is(err, fs.ErrNotExist)
	if gone {
		// While it is still locked: afterwards it may be the next one's.
		_ = os.Remove(l.Path())
	}
	_ = l.Unlock()
	if gone && runtime.GOOS == "windows" {
		// Windows removes no open file; for the same reason this spares the next
		// one's.
		_ = os.Remove(l.Path())
	}
	if gone {
		s.prune(name) // not, rightly, where the next one is in
	}
}

func (s *Store) busy(name string) error {
	pid := holder(s.path(name, lockFile))
	if pid == 0 {
		err := fault.Errorf(fault.ErrUnavailable, "another lab is working on cluster %q", name)
		return fault.WithHint(err, "wait until it is done, then try again")
	}
	err := fault.Errorf(fault.ErrUnavailable, "another lab (process %d) is working on cluster %q", pid, name)
	return fault.WithHint(err, "wait until it is done, or end it: kill %d", pid)
}

// writeHolder puts our process id into the lock file at path. It spares the first
// byte, which is the one that Windows locks, against readers too.
func writeHolder(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 1)
	return errors.Join(err, f.Close())
}

// holder reads the process id in the lock file at path; 0 where there is none.
func holder(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, 32)
	n, _ := f.ReadAt(buf, 1)
	// What follows the first line is the rest of a longer number before.
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}

// Busy tells whether some lab, this one included, is working on the cluster name
// right now.
func (s *Store) Busy(name string) bool { return s.held(name, lockFile) }

// held tells whether somebody holds the lock on the cluster's file. It asks for a shared
// lock, so that two who ask do not take one another for the holder.
func (s *Store) held(name, file string) bool {
	path := s.path(name, file)
	if _, err := os.Stat(path); err != nil {
		return false // and asking would make one
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	free, err := l.TryRLock()
	if free {
		_ = l.Unlock() // closing the file does it, too
	}
	return !free && err == nil
}
