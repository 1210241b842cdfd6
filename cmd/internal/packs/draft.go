package packs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The limits of a pack. Packs are text.
const (
	maxFiles   = 2_000
	maxBytes   = 16e6
	maxArchive = 4 * maxBytes // before and after decompression, with what is not part of the pack
)

// draft is a directory that receives the files of a pack. It refuses everything that is not a file in it.
type draft struct {
	root  *os.Root
	files int
	bytes int64
}

// put writes a file. name is relative, with slashes. Errors: ErrInvalid for a name that leads outside, a name that
// exists, and a pack that is too large; and those of from and of the operating system.
func (d *draft) put(name string, from io.Reader) error {
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) {
		return fault.Errorf(fault.ErrInvalid, "the path %q leads outside the pack", name)
	}
	if d.files++; d.files > maxFiles {
		return tooLarge("it has more than %d files", maxFiles)
	}
	if err := d.root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o700); err != nil {
		return err
	}
	f, err := d.root.OpenFile(filepath.FromSlash(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.Errorf(fault.ErrInvalid, "it contains %q twice", name)
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(from, maxBytes-d.bytes+1))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if d.bytes += n; d.bytes > maxBytes {
		return tooLarge("its files have more than %s", event.Size(maxBytes))
	}
	return nil
}

// notRegular returns the error of a link or a device.
func notRegular(name string) error {
	return fault.WithHint(fault.Errorf(fault.ErrInvalid, "%q is not a file or directory, and a pack has only those", name), "replace links by copies")
}

func tooLarge(format string, args ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the pack is too large: "+format, args...)
	return fault.WithHint(err, "name the directory of the pack: --path DIR")
}

// findPack returns the directory of the pack below root: the given one, or root itself, or the only directory in root, as in
// archives of repositories.
func findPack(root, within string) (string, error) {
	if within != "" {
		if !filepath.IsLocal(within) {
			return "", fault.Errorf(fault.ErrInvalid, "the path %q leads outside", within)
		}
		root = filepath.Join(root, within)
	}
	dir := root
	entries, err := os.ReadDir(dir)
	if within == "" && err == nil && len(entries) == 1 && entries[0].IsDir() {
		dir = filepath.Join(dir, entries[0].Name())
	}
	if _, err := os.Stat(filepath.Join(dir, "pack.yaml")); err != nil {
		err := fault.Errorf(fault.ErrInvalid, "there is no pack.yaml")
		return "", fault.WithHint(err, "name the directory that has it: --path DIR")
	}
	return dir, nil
}

// digestOf returns a digest of the names and contents of all files.
func digestOf(files fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%d %s %x\n", len(name), name, sha256.Sum256(data))
		return err
	})
	return fmt.Sprintf("sha256:%x", sum.Sum(nil)), err
}
