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

const (
	pollInterval = 20 * time.Millisecond
	// vanishTime is far longer than a process needs to remove the files of a cluster.
	vanishTime = 2 * time.Second
)

// Lock locks the cluster name against all other processes and goroutines, until the caller calls
// unlock or its process ends, for whatever reason. The cluster need not exist. While another lab
// process holds the lock, Lock waits for s.Patience and then returns ErrUnavailable with the ID of
// that process. If ctx ends, Lock returns its error. unlock may be called more than once.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := providers.ValidateName(name); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(s.Patience)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	worked := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("waiting for the lock of cluster %q: %w", name, err)
		}
		l, err := s.tryLock(name, lockFile)
		if err == nil {
			worked = time.Now()
		}
		switch {
		case l != nil:
			return func() { s.unlock(name, l) }, nil
		case err != nil && (!vanishing(err) || time.Since(worked) > vanishTime):
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

// vanishing reports whether err may be caused by the previous holder of a lock, which is removing the
// directory. If so, one of the next attempts succeeds. A directory that can never exist causes the same errors.
func vanishing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)
}

// tryLock returns nil, nil if another lab process holds the lock on the cluster's file.
func (s *Store) tryLock(name, file string) (*flock.Flock, error) {
	path := s.path(name, file)
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if ok, err := l.TryLock(); !ok || err != nil {
		return nil, err
	}
	// The previous holder may have removed the file after this process opened it. Then the lock is
	// on a file that no other process finds.
	if !findable(l) {
		return nil, l.Unlock()
	}
	if err := writeHolder(path); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return l, nil
}

// findable reports whether the locked file is still at its path.
func findable(l *flock.Flock) bool {
	locked, err := l.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(l.Path())
	return err == nil && os.SameFile(locked, found)
}

// unlock also removes the directory of a cluster that has no record.
func (s *Store) unlock(name string, l *flock.Flock) {
	if !l.Locked() {
		return
	}
	_, err := os.Stat(s.path(name, recordFile))
	gone := errors.Is(err, fs.ErrNotExist)
	if gone {
		// Before it is unlocked: afterwards it may be the file of the next holder.
		_ = os.Remove(l.Path())
	}
	_ = l.Unlock()
	if gone && runtime.GOOS == "windows" {
		// Windows does not remove open files, so this never removes the file of the next holder.
		_ = os.Remove(l.Path())
	}
	if gone {
		s.prune(name)
	}
}

func (s *Store) busy(name string) error {
	pid := holder(s.path(name, lockFile))
	if pid == 0 {
		err := fault.Errorf(fault.ErrUnavailable, "another lab process is working on cluster %q", name)
		return fault.WithHint(err, "wait until it is done, then try again")
	}
	err := fault.Errorf(fault.ErrUnavailable, "another lab process (%d) is working on cluster %q", pid, name)
	return fault.WithHint(err, "wait until it is done, or end it: kill %d", pid)
}

// writeHolder writes the ID of this process to the lock file at path. It does not write the first
// byte, because that is the one that Windows locks, also against readers.
func writeHolder(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 1)
	return errors.Join(err, f.Close())
}

// holder returns the process ID in the lock file at path, or 0.
func holder(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, 32)
	n, _ := f.ReadAt(buf, 1)
	// The other lines are the rest of a longer number that was there before.
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}

// Busy reports whether a lab process, this one included, is working on the cluster name.
func (s *Store) Busy(name string) bool { return s.held(name, lockFile) }

// held reports whether a process holds the lock on the cluster's file. It tries to take a shared
// lock, so that two calls at the same time do not see each other as the holder.
func (s *Store) held(name, file string) bool {
	path := s.path(name, file)
	if _, err := os.Stat(path); err != nil {
		return false // TryRLock would create the file
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	free, err := l.TryRLock()
	if free {
		_ = l.Unlock()
	}
	return !free && err == nil
}
