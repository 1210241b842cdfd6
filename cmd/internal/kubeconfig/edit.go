package kubeconfig

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
)

const (
	defaultPatience = 10 * time.Second
	pollInterval    = 10 * time.Millisecond

	// freshLock is how long a file is not read because another program holds its lock. Programs
	// that edit kubeconfigs hold it for milliseconds.
	freshLock = 500 * time.Millisecond
)

// edit reads the files, has change edit the documents, and writes those that changed. It first
// does so without locks, to find out which files change. It then locks these and starts again,
// until all that change are locked. Every file is found writable before the first is written.
func (f Files) edit(ctx context.Context, change func(documents) error) error {
	held := locks{}
	defer held.release()
	for {
		docs, busy := f.read(held)
		texts := map[string][]byte{}
		if len(busy) == 0 {
			if err := change(docs); err != nil {
				return err
			}
			var err error
			if texts, err = docs.results(); err != nil {
				return err
			}
		}
		need := slices.DeleteFunc(append(busy, slices.Collect(maps.Keys(texts))...), func(path string) bool { return held[path] != nil })
		if len(need) > 0 {
			if err := held.acquire(ctx, need, f.Patience); err != nil {
				return err
			}
			continue
		}
		for _, d := range docs {
			if text, changed := texts[d.path]; changed {
				if err := held[d.path].write(d, text); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// results returns the texts of the files that changed.
func (docs documents) results() (map[string][]byte, error) {
	texts := map[string][]byte{}
	var errs []error
	for _, d := range docs {
		text, err := d.result()
		if err == nil && text != nil {
			texts[d.path] = text
			err = editable(d.path)
		}
		errs = append(errs, err)
	}
	return texts, join(errs...)
}

// read reads the files, each once, whatever its names. What is not a regular file, such as
// /dev/null, counts as empty. The files that are busy are being written by another program.
func (f Files) read(held locks) (docs documents, busy []string) {
	var seen []fs.FileInfo
	for _, path := range f.Paths {
		info, err := os.Stat(path)
		if err == nil && slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			continue
		}
		seen = append(seen, info)
		var data []byte
		quiet := true
		if err != nil || info.Mode().IsRegular() {
			data, quiet, err = readQuiet(path, held[path] != nil)
		}
		if !quiet {
			busy = append(busy, path)
		}
		d := parse(path, data)
		d.missing = errors.Is(err, fs.ErrNotExist)
		if l := held[path]; l != nil {
			d.newDir = l.newDir
		}
		if err != nil && !d.missing {
			d.err = cmp.Or(editable(path), unusable("read", path, err))
		}
		docs = append(docs, d)
	}
	return docs, busy
}

// readQuiet reads a file that other programs may be writing, unless lab holds its lock. kubectl
// truncates the file first, so what is read while there is a lock, or while the file changes,
// may be a part. quiet is false where that did not end soon.
func readQuiet(path string, locked bool) (data []byte, quiet bool, err error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for start := time.Now(); ; <-tick.C {
		before, _ := os.Stat(path)
		quiet := !isLocked(path)
		data, err = os.ReadFile(path)
		after, _ := os.Stat(path)
		if locked || quiet && !isLocked(path) && unchanged(before, after) {
			return data, true, err
		}
		if time.Since(start) > freshLock {
			return data, false, err
		}
	}
}

// isLocked reports whether a program is editing the file.
func isLocked(path string) bool {
	info, err := os.Stat(lockName(path))
	return err == nil && inUse(info)
}

// inUse reports whether a lock is younger than most edits take. An older one may have been left
// behind.
func inUse(lock fs.FileInfo) bool {
	age := time.Since(lock.ModTime())
	return age > -time.Second && age < freshLock
}

func unchanged(before, after fs.FileInfo) bool {
	if before == nil || after == nil {
		return before == nil && after == nil
	}
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

// locks are the locks that this process holds, by the path of the kubeconfig.
type locks map[string]*lock

// lock is FILE.lock, which excludes every program that edits kubeconfig files the way kubectl
// does. The new content is written to it, and it is then renamed to FILE. So a process that is
// killed leaves nothing but a lock.
type lock struct {
	path   string   // of the kubeconfig
	file   *os.File // nil once it was released
	newDir bool     // the directory was created for the lock
}

func lockName(path string) string { return path + ".lock" }

// acquire locks more paths. It locks all in one order, as kubectl does, so that two processes
// do not wait for each other.
func (held locks) acquire(ctx context.Context, paths []string, patience time.Duration) error {
	held.release()
	for _, path := range paths {
		held[path] = &lock{path: path}
	}
	for _, path := range slices.Sorted(maps.Keys(held)) {
		if err := held[path].acquire(ctx, cmp.Or(patience, defaultPatience)); err != nil {
			return err
		}
	}
	return nil
}

func (held locks) release() {
	for _, l := range held {
		l.release()
	}
}

// acquire waits for the lock. When the same lock of another program has been there for
// patience, acquire gives up with ErrUnavailable and says how to remove it: a lock outlives a
// program that was killed.
func (l *lock) acquire(ctx context.Context, patience time.Duration) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var seen fs.FileInfo
	for since := time.Now(); ; {
		err := l.create()
		// The directory may have been removed, with lab's last entry, a moment ago.
		if err == nil || !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return unusable("lock", l.path, err)
		}
		info, statErr := os.Stat(lockName(l.path))
		if statErr == nil && !unchanged(seen, info) {
			seen, since = info, time.Now() // others make progress
		}
		waited := time.Since(since) > patience
		switch {
		case statErr == nil && (waited || time.Since(info.ModTime()) > max(patience, defaultPatience)):
			return stale(l.path, info)
		case waited:
			return unusable("lock", l.path, err)
		}
		select {
		case <-ctx.Done():
			return waiting(l.path, ctx.Err())
		case <-tick.C:
		}
	}
}

func (l *lock) create() (err error) {
	dir := filepath.Dir(l.path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		l.newDir = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	l.file, err = os.OpenFile(lockName(l.path), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return err
}

// release removes the lock, unless write did, and the directory where it has nothing else.
func (l *lock) release() {
	if l.file != nil {
		_ = l.file.Close()
		_ = os.Remove(l.file.Name())
		l.file = nil
	}
	if l.newDir {
		_ = os.Remove(filepath.Dir(l.path))
	}
}

// write replaces the file or, where nothing but lab was ever in it, removes it. It releases the
// lock.
func (l *lock) write(d *document, text []byte) error {
	path := target(d.path)
	// A user wrote the comments, so a file with comments stays.
	if !d.unused || strings.Contains(string(text), "#") {
		if err := atomicfile.Replace(l.file, path, text, 0o600); err != nil {
			return unusable("write", path, err)
		}
		l.file = nil
		return nil
	}
	if err := os.Remove(path); err != nil {
		return unusable("remove", path, err)
	}
	l.newDir = l.newDir || d.unusedDir
	l.release()
	return nil
}

// target follows symbolic links, also to a file that does not exist, so that the file is
// replaced and not the link.
func target(path string) string {
	for range 40 { // as many as Linux follows
		if full, err := filepath.EvalSymlinks(path); err == nil {
			return full
		}
		link, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return path
}
