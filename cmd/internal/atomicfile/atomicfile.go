// Package atomicfile replaces files so that a reader, and a machine that loses
// power, finds either the old content or the new one, never a part of it.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// abandoned is the age after which a temporary file has no writer any more.
const abandoned = 10 * time.Minute

// Write puts data into the file at path. A new file gets mode; one that exists
// keeps its mode and, where the process may set it, its owner. The directory must
// exist. Errors are those of the operating system; after one, the old content is
// still there.
func Write(path string, data []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	pattern := "." + filepath.Base(path) + ".lab-*"
	sweep(filepath.Join(dir, pattern))

	tmp, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
		}
	}()
	if err := likeOld(tmp, path, mode); err != nil {
		return err
	}
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	return replace(tmp, path)
}

func replace(tmp *os.File, path string) error {
	// Windows renames no open file, so close first.
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// likeOld gives tmp the mode and the owner of the file it will replace.
func likeOld(tmp *os.File, path string, mode fs.FileMode) error {
	old, err := os.Stat(path)
	if err == nil {
		mode = old.Mode().Perm()
		// Somebody else's file, edited with sudo, must stay theirs.
		keepOwner(tmp, old)
	}
	return tmp.Chmod(mode)
}

// syncDir makes a rename in dir durable. Not every file system can do that, and
// the content is safe without it, so errors do not matter.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// sweep removes what writers that were killed left behind.
func sweep(pattern string) {
	names, _ := filepath.Glob(pattern) // a directory with '[' in its name is merely not swept
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(name)
		}
	}
}
