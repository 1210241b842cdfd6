// Package images builds the test bed's container images. It writes layers and archives itself. Images that must run
// once are completed in the Docker Engine.
package images

import (
	"archive/tar"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is a file in an image: the content of Source, or Content, or a symbolic link to Link.
type file struct {
	Path    string // absolute, in the image; below /usr instead of Debian's links (/bin, /lib, /sbin)
	Source  string
	Content string
	Link    string
	Mode    fs.FileMode // the default is 0644
}

// program returns a program in the directory dir of an image.
func program(bin, name, dir string) file {
	return file{Path: path.Join(dir, name), Source: filepath.Join(bin, name), Mode: 0o755}
}

// filesUnder returns every file below source, at the same path below /. Files in directories of programs are
// executable.
func filesUnder(source string, executable ...string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(source, name)
		f := file{Path: "/" + filepath.ToSlash(rel), Source: name}
		if slices.Contains(executable, path.Dir(f.Path)) {
			f.Mode = 0o755
		}
		files = append(files, f)
		return err
	})
	return files, err
}

// writeTree writes files as a reproducible tar: sorted, owned by root, without times. A later file replaces an
// earlier one with the same path.
func writeTree(w io.Writer, files []file) error {
	last := map[string]file{}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
			last[dir] = file{Path: dir, Mode: fs.ModeDir | 0o755}
		}
	}
	for _, f := range files {
		last[f.Path] = f
	}
	sorted := make([]file, 0, len(last))
	for _, f := range last {
		sorted = append(sorted, f)
	}
	slices.SortFunc(sorted, func(a, b file) int { return cmp.Compare(a.Path, b.Path) })
	out := tar.NewWriter(w)
	for _, f := range sorted {
		if err := f.write(out); err != nil {
			return fmt.Errorf("add %s: %w", f.Path, err)
		}
	}
	return out.Close()
}

func (f file) write(out *tar.Writer) error {
	header := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(cmp.Or(f.Mode.Perm(), 0o644)),
		Typeflag: tar.TypeReg, Size: int64(len(f.Content)), ModTime: time.Unix(0, 0)}
	var content io.Reader = strings.NewReader(f.Content)
	switch {
	case f.Mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
	case f.Link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, f.Link
	case f.Source != "":
		source, err := os.Open(f.Source)
		if err != nil {
			return err
		}
		defer source.Close()
		info, err := source.Stat()
		if err != nil {
			return err
		}
		header.Size, content = info.Size(), source
	}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(out, content)
	return err
}
