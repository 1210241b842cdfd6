package kubeconfig

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/atomicfile"
	"github.com/clusterlab-dev/lab/providers"
)

// update edits one file under its lock. Where edit changes nothing, or fails,
// nothing is written.
func (f Files) update(ctx context.Context, path string, edit func(*document) error) error {
	if err := editable(path); err != nil {
		return err
	}
	_, err := os.Stat(filepath.Dir(path))
	newDir := errors.Is(err, fs.ErrNotExist)

	unlock, err := lock(ctx, path, f.Patience)
	if err != nil {
		return err
	}
	var d *document
	defer func() {
		unlock()
		if d != nil && d.unused && d.unusedDir {
			_ = os.Remove(filepath.Dir(path)) // fails where something else is in it
		}
	}()
	data, err := os.ReadFile(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return unusable("read", path, err)
	}
	if d, err = parse(path, data); err != nil {
		return err
	}
	d.created, d.createdDir = missing, missing && newDir
	if err := edit(d); err != nil {
		return err
	}
	text, err := d.result()
	if err != nil || bytes.Equal(text, data) {
		return err
	}
	return d.write(text)
}

// write replaces the file or, where nothing but lab was ever in it, removes it.
func (d *document) write(text []byte) error {
	path := target(d.path)
	// A comment is somebody's, though no program would miss it.
	d.unused = d.unused && !strings.Contains(string(text), "#")
	if d.unused {
		if err := os.Remove(path); err != nil {
			return unusable("remove", path, err)
		}
		return nil
	}
	if err := atomicfile.Write(path, text, 0o600); err != nil {
		return unusable("write", path, err)
	}
	return nil
}

// editable refuses what must not be replaced by a file.
func editable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil // whatever is wrong, locking or reading will say so
	case !info.Mode().IsRegular():
		err := providers.Errorf(providers.ErrInvalid, "the kubeconfig %s is not a file that can be edited", path)
		return providers.WithHint(err, "name a file: export KUBECONFIG=FILE; or leave it alone: --no-kubeconfig")
	case info.Mode().Perm()&0o222 == 0:
		// A rename would replace it all the same, against its owner's will.
		err := providers.Errorf(providers.ErrUnavailable, "the kubeconfig %s is read-only", path)
		return providers.WithHint(err, "chmod u+w %s; or leave it alone: --no-kubeconfig", path)
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
