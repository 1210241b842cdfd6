// Package atomicfile replaces files so that a reader, and a machine that loses
// power, finds either the old content or the new one, never a part of it.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write puts data into the file at path. A new file gets mode; one that exists
// keeps its mode and, where the process may set it, its owner. The directory must
// exist. Errors are those of the operating system; after one, the old content is
// still there. A process that is killed may leave a file .NAME.lab-*; nobody removes that,
// because another program may use such names.
func Write(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".lab-*")
	if err != nil {
		return err
	}
	if err := Replace(tmp, path, data, mode); err != nil {
		return errors.Join(err, ignore(tmp.Close(), fs.ErrClosed), os.Remove(tmp.Name()))
	}
	return nil
}

// Replace is Write by way of tmp, an empty file that is open for writing, on the file
// system of path. Afterwards tmp does not exist. After an error it does, possibly closed
// and with all of data in it.
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
	// Windows renames no open file, so close first.
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

// overwrite writes data into a file that cannot be replaced, such as one that is mounted
// into a container.
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

// content is what overwriteFile needs of a file.
type content interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// overwriteFile restores old where data cannot be written.
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
		return fmt.Errorf("%w; its old content could not be restored: %w", err, failed)
	}
	return err
}

func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
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
