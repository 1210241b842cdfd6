package bundles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// firstPart ends the name of the first of several files of a bundle: "class.lab.001".
const firstPart = ".001"

func partName(path string, i int) string { return fmt.Sprintf("%s.%03d", path, i+1) }

// unfinished ends the name of a file that is being written: "class.lab.part", then "class.lab.part.002".
const unfinished = ".part"

// Parts writes a file, or several with at most a number of bytes each. They get their names when all are complete. No
// file of another program or of another lab process is ever replaced.
type Parts struct {
	path  string
	limit int64 // in bytes; 0 is one file
	files []*os.File
	left  int64 // in the last file
}

// NewParts returns the parts of path, and reserves the name: it creates path with ".part" at its end. It returns ErrInvalid
// if the directory does not exist, and ErrExists if the file, a part of it, or such a reservation exists.
func NewParts(path string, limit int64) (*Parts, error) {
	p := &Parts{path: path, limit: limit}
	if path == "" {
		return nil, fault.WithHint(fault.Errorf(fault.ErrInvalid, "the name of the file is empty"), "for example lab bundle create class.lab")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		err := fault.Errorf(fault.ErrInvalid, "cannot write %s: its directory does not exist", path)
		return nil, fault.WithHint(err, "create it: mkdir -p %s", fault.ShellWord(filepath.Dir(path)))
	}
	if err != nil {
		return nil, p.unwritable(err)
	}
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(filepath.Base(path)) + `(\.part)?(\.[0-9]{3,})?$`)
	for _, e := range entries {
		if ours.MatchString(e.Name()) {
			return nil, exists(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return p, p.next()
}

func exists(name string) error {
	err := fault.Errorf(fault.ErrExists, "the file %s exists already", name)
	if strings.Contains(filepath.Base(name), unfinished) {
		return fault.WithHint(err, "wait for the lab bundle create that writes it; if none runs, remove the file: rm %s", fault.ShellWord(name))
	}
	return fault.WithHint(err, "choose another name, or remove the file: rm %s", fault.ShellWord(name))
}

// next starts the next file.
func (p *Parts) next() error {
	name := p.path + unfinished
	if i := len(p.files); i > 0 {
		name = partName(name, i)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return exists(name)
	case err != nil:
		return p.unwritable(err)
	}
	p.files, p.left = append(p.files, file), p.limit
	return nil
}

// Write implements [io.Writer].
func (p *Parts) Write(data []byte) (written int, err error) {
	for len(data) > 0 {
		if p.limit > 0 && p.left == 0 {
			if err := p.next(); err != nil {
				return written, err
			}
		}
		chunk := data
		if p.limit > 0 {
			chunk = data[:min(p.left, int64(len(data)))]
		}
		n, err := p.files[len(p.files)-1].Write(chunk)
		written, p.left, data = written+n, p.left-int64(n), data[n:]
		if err != nil {
			return written, p.unwritable(err)
		}
	}
	return written, nil
}

func (p *Parts) unwritable(err error) error {
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot write %s: %w", p.path, err), "use a writable directory on a disk with free space")
}

// Commit gives the files their names, and returns them. It returns ErrExists if another file got one of the names.
func (p *Parts) Commit() (names []string, err error) {
	for _, file := range p.files {
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return nil, p.unwritable(err)
		}
	}
	for i := range p.files {
		name := p.path
		if p.limit > 0 {
			name = partName(p.path, i)
		}
		if err := p.reserve(name); err != nil {
			return nil, errors.Join(err, removeAll(names))
		}
		names = append(names, name)
	}
	for i, file := range p.files {
		if err := os.Rename(file.Name(), names[i]); err != nil {
			return nil, errors.Join(p.unwritable(err), removeAll(names))
		}
	}
	p.files = nil
	return names, nil
}

// reserve creates an empty file, which a rename replaces: file systems of USB drives have no links, and a rename alone
// replaces any file.
func (p *Parts) reserve(name string) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return exists(name)
	case err != nil:
		return p.unwritable(err)
	}
	return file.Close()
}

func removeAll(names []string) (err error) {
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// Discard removes the files, unless they have their names.
func (p *Parts) Discard() {
	for _, file := range p.files {
		_, _ = file.Close(), os.Remove(file.Name())
	}
}

// OpenFile opens a bundle in a file, or in the parts that NewParts wrote, of which path names the first or the common
// beginning. It returns ErrInvalid if the file does not exist or a part is missing.
func OpenFile(path string) (*File, error) {
	if base, ok := strings.CutSuffix(path, firstPart); ok {
		return openParts(base)
	}
	f := &File{}
	err := f.add(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, parts := os.Lstat(path + firstPart); parts == nil {
			return openParts(path)
		}
		err = fault.WithHint(fault.Errorf(fault.ErrInvalid, "cannot read the bundle: %w", err), "check the path; a relative path starts in the current directory")
	}
	return f, err
}

// openParts opens the parts of path. All but the last must have the same size, so that a missing or short one is found.
func openParts(path string) (*File, error) {
	f := &File{}
	for i := 0; ; i++ {
		name := partName(path, i)
		err := f.add(name)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			return f, f.sameSizes(path)
		}
		if err != nil {
			return f, errors.Join(fault.Errorf(fault.ErrInvalid, "cannot read the bundle: %w", err), f.Close())
		}
	}
}

func (f *File) sameSizes(path string) error {
	for i, size := range f.sizes[:len(f.sizes)-1] {
		if size != f.sizes[0] || f.sizes[len(f.sizes)-1] > f.sizes[0] {
			err := fault.Errorf(fault.ErrForeign, "%s has %d bytes, and %s has %d: one of them is incomplete", partName(path, i), size, partName(path, 0), f.sizes[0])
			return errors.Join(fault.WithHint(err, "copy the parts again"), f.Close())
		}
	}
	return nil
}

// File is a bundle in one file or in several parts.
type File struct {
	files []*os.File
	sizes []int64
	at    int64
}

func (f *File) add(path string) error {
	info, err := os.Stat(path) // before the file is opened: a pipe would wait for its writer
	if err == nil && !info.Mode().IsRegular() {
		err = fault.WithHint(fault.Errorf(fault.ErrInvalid, "%s is not a regular file", path), "copy the bundle to a file, and name that")
	}
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	f.files, f.sizes = append(f.files, file), append(f.sizes, info.Size())
	return nil
}

// Size returns the size of all parts in bytes.
func (f *File) Size() (sum int64) {
	for _, size := range f.sizes {
		sum += size
	}
	return sum
}

// Read implements [io.Reader].
func (f *File) Read(p []byte) (int, error) {
	start := int64(0)
	for i, size := range f.sizes {
		if f.at < start+size {
			n, err := f.files[i].ReadAt(p[:min(int64(len(p)), start+size-f.at)], f.at-start)
			f.at += int64(n)
			if n > 0 {
				err = nil
			}
			return n, err
		}
		start += size
	}
	return 0, io.EOF
}

// Seek implements [io.Seeker].
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.Size()
	}
	if offset < 0 {
		return f.at, fs.ErrInvalid
	}
	f.at = offset
	return offset, nil
}

// Close implements [io.Closer].
func (f *File) Close() error {
	var errs []error
	for _, file := range f.files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
