package kubeconfig

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// update edits one file under its lock. Where edit changes nothing, or fails,
// nothing is written, and the file need not be writable.
func (f Files) update(ctx context.Context, path string, edit func(*document) error) error {
	_, err := os.Stat(filepath.Dir(path))
	newDir := errors.Is(err, fs.ErrNotExist)
	l, err := acquire(ctx, path, f.Patience)
	if err != nil {
		if d, failed := load(path, newDir, edit); ctx.Err() == nil && failed == nil && !d.touched {
			return nil
		}
		return err
	}
	defer l.release()
	d, err := load(path, newDir, edit)
	if err != nil {
		return err
	}
	text, err := d.result()
	if err != nil || !d.touched || string(text) == d.mark+string(d.old) {
		return err
	}
	if err := editable(path); err != nil {
		return err
	}
	return d.write(l, text)
}

// load reads a file, which need not exist, and edits it in memory.
func load(path string, newDir bool, edit func(*document) error) (*document, error) {
	data, err := os.ReadFile(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, cmp.Or(editable(path), unusable("read", path, err))
	}
	d, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	d.created, d.createdDir = missing, missing && newDir
	return d, edit(d)
}

// write replaces the file or, where nothing but lab was ever in it, removes it.
func (d *document) write(l *lock, text []byte) error {
	// A person wrote the comments, so a file with comments stays.
	if !d.unused || strings.Contains(string(text), "#") {
		return l.replace(text)
	}
	path := target(d.path)
	if err := os.Remove(path); err != nil {
		return unusable("remove", path, err)
	}
	l.release()
	if d.unusedDir {
		_ = os.Remove(filepath.Dir(d.path)) // fails where something else is in it
	}
	return nil
}

// target follows symbolic links, so that the file and not the link is replaced;
// also to a file that is not there yet.
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
