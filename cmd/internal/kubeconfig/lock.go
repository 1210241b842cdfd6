package kubeconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/atomicfile"
)

const (
	defaultPatience = 10 * time.Second
	pollInterval    = 10 * time.Millisecond
)

// lock is FILE.lock, which excludes every program that edits kubeconfig files the way
// kubectl does. The new content is written to it, and it is then renamed to FILE. So a
// process that is killed leaves nothing but a lock, which its finder knows how to remove.
type lock struct {
	path string // of the kubeconfig
	file *os.File
}

// acquire waits for the lock. A lock outlives a program that was killed: when the same one has
// been there for patience, acquire gives up with ErrUnavailable and says how to remove it.
func acquire(ctx context.Context, path string, patience time.Duration) (*lock, error) {
	if patience == 0 {
		patience = defaultPatience
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var seen fs.FileInfo
	for {
		file, err := create(lockName(path))
		switch {
		case err == nil:
			return &lock{path, file}, nil
		// The directory may have been removed, with lab's last entry, a moment ago.
		case !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist):
			return nil, unusable("lock", path, err)
		}
		// No living program holds a lock for that long.
		info, statErr := os.Stat(lockName(path))
		if statErr == nil && time.Since(info.ModTime()) > max(patience, defaultPatience) {
			return nil, stale(path, info)
		}
		if statErr == nil && !unchanged(seen, info) {
			seen = info
			deadline.Reset(patience) // others make progress
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock of the kubeconfig %s: %w", path, ctx.Err())
		case <-tick.C:
		case <-deadline.C:
			if statErr != nil {
				return nil, unusable("lock", path, err)
			}
			return nil, stale(path, info)
		}
	}
}

func lockName(path string) string { return path + ".lock" }

func create(name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// release releases the lock, unless replace did.
func (l *lock) release() {
	if l.file == nil {
		return
	}
	_ = l.file.Close()
	_ = os.Remove(l.file.Name())
	l.file = nil
}

// replace writes text to the kubeconfig and releases the lock.
func (l *lock) replace(text []byte) error {
	path := target(l.path)
	if err := atomicfile.Replace(l.file, path, text, 0o600); err != nil {
		return unusable("write", path, err)
	}
	l.file = nil
	return nil
}

// settled reads a file that other programs may be writing. kubectl truncates it first, so
// what is read while there is a lock, or while the file changes, may be a part; ok is
// false where that did not end soon.
func settled(path string) (data []byte, ok bool, err error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for start := time.Now(); ; <-tick.C {
		before, _ := os.Stat(path)
		quiet := !busy(path)
		data, err = os.ReadFile(path)
		after, _ := os.Stat(path)
		if quiet && !busy(path) && unchanged(before, after) {
			return data, true, err
		}
		if time.Since(start) > freshLock {
			return data, false, err
		}
	}
}

// busy tells whether a program is editing the file. A lock that is older than any edit
// takes was left behind.
func busy(path string) bool {
	info, err := os.Stat(lockName(path))
	if err != nil {
		return false
	}
	age := time.Since(info.ModTime())
	return age > -time.Second && age < freshLock
}

func unchanged(before, after fs.FileInfo) bool {
	if before == nil || after == nil {
		return before == nil && after == nil
	}
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}
