// Package atomicfile replaces files atomically: a reader, or a machine that loses power, finds the
// old content or the new one and never a part of it. It also finds out whether a file can be
// written.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Write replaces the content of the file at path. A new file gets mode; an existing one keeps its
// mode and, where the process may set it, its owner. The directory must exist. Errors are those
// of the operating system; after one, the old content is still there. A process that is killed
// may leave a temporary file .NAME.lab-NUMBER, see [RemoveLeftovers].
func Write(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), prefix(path)+"*")
	if err != nil {
		return err
	}
	if err := Replace(tmp, path, data, mode); err != nil {
		return errors.Join(err, ignore(tmp.Close(), fs.ErrClosed), os.Remove(tmp.Name()))
	}
	return nil
}

func prefix(path string) string { return "." + filepath.Base(path) + ".lab-" }

// RemoveLeftovers removes the temporary files for path that killed processes left. Call it only
// for a directory that belongs to lab, where no other program uses such names, and while no
// process is in Write for path.
func RemoveLeftovers(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix(path))
		if ok && e.Type().IsRegular() && number != "" && strings.Trim(number, "0123456789") == "" {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// Replace is Write with a temporary file of the caller: tmp is an empty file, open for writing, on
// the file system of path. Replace removes it. After an error it still exists, possibly closed and
// with all of data in it.
func Replace(tmp *os.File, path string, data []byte, mode fs.FileMode) error {
	return replace(tmp, path, data, mode, os.Rename)
}

func replace(tmp *os.File, path string, data []byte, mode fs.FileMode, rename func(from, to string) error) error {
	if err := likeOld(tmp, path, mode); err != nil {
		return err
	}
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	// Windows does not rename open files.
	if err := tmp.Close(); err != nil {
		return err
	}
	err := rename(tmp.Name(), path)
	switch {
	case err == nil:
		syncDir(filepath.Dir(path))
		return nil
	case errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV): // a mount point
		if err := overwrite(path, data); err != nil {
			return err
		}
		return os.Remove(tmp.Name())
	}
	return err
}

// overwrite writes data to a file that cannot be replaced, for example because it is mounted into a
// container.
func overwrite(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	old, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	return overwriteFile(f, old, data)
}

// content is the part of [os.File] that overwriteFile needs.
type content interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// overwriteFile restores the old content if it cannot write data.
func overwriteFile(f content, old, data []byte) error {
	put := func(data []byte) error {
		if _, err := f.WriteAt(data, 0); err != nil {
			return err
		}
		if err := f.Truncate(int64(len(data))); err != nil {
			return err
		}
		return f.Sync()
	}
	err := put(data)
	if err == nil {
		return nil
	}
	if failed := put(old); failed != nil {
		return fmt.Errorf("%w; cannot restore the old content: %w", err, failed)
	}
	return err
}

func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}

// likeOld gives tmp the mode and the owner of the file that it will replace.
func likeOld(tmp *os.File, path string, mode fs.FileMode) error {
	old, err := os.Stat(path)
	if err == nil {
		mode = old.Mode().Perm()
		// A user's file that is edited with sudo stays the user's.
		keepOwner(tmp, old)
	}
	return tmp.Chmod(mode)
}

// syncDir makes a rename in dir durable. It ignores errors, because not every file system supports
// that and the content is safe without it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
