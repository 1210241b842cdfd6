package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestUnavailable(t *testing.T) {
	t.Parallel()
	full := &fs.PathError{Op: "write", Path: "/state/.record.lab-123", Err: syscall.ENOSPC}
	err := atomicfile.Unavailable(full, "write", "lab's state", "/state")
	if want := "cannot write lab's state in /state: " + syscall.ENOSPC.Error(); !errors.Is(err, fault.ErrUnavailable) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	want := "make /state a writable directory on a disk with free space; or use another directory: export LAB_HOME=DIR"
	if got := fault.HintOf(err); got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
}

// TestRemoveEmptyStops checks that RemoveEmpty keeps a directory with files, what is above it, and links.
func TestRemoveEmptyStops(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	a, b, c := filepath.Join(root, "a"), filepath.Join(root, "a", "b"), filepath.Join(root, "a", "b", "c")
	if err := os.MkdirAll(c, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	atomicfile.RemoveEmpty(c, b, a, root)
	if _, err := os.Stat(b); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := os.Stat(filepath.Join(a, "file")); err != nil {
		t.Error(err)
	}
	empty, link := t.TempDir(), filepath.Join(root, "link")
	if err := os.Symlink(empty, link); err != nil {
		t.Skip(err)
	}
	atomicfile.RemoveEmpty(link)
	if _, err := os.Lstat(link); err != nil {
		t.Errorf("a link: %v", err)
	}
}
