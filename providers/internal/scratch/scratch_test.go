package scratch_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/scratch"
)

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestMakeAndRemove(t *testing.T) {
	t.Parallel()
	shared := filepath.Join(t.TempDir(), "state", "tool")
	a, b := filepath.Join(shared, "a"), filepath.Join(shared, "b")
	for _, dir := range []string{a, b} {
		if err := scratch.Make(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := scratch.Make(a); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if err := os.WriteFile(filepath.Join(a, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := scratch.Remove(a); err != nil || exists(a) || !exists(b) {
		t.Errorf("the first: %v; there is a: %t, b: %t", err, exists(a), exists(b))
	}
	for range 2 { // the second time there is nothing left
		if err := scratch.Remove(b); err != nil || exists(shared) {
			t.Errorf("the last: %v; the shared directory is there: %t", err, exists(shared))
		}
	}
	if !exists(filepath.Dir(shared)) {
		t.Error("what the shared directory is in went, too")
	}
}

// TestSharedIsALink checks that a link in place of the shared directory stays.
func TestSharedIsALink(t *testing.T) {
	t.Parallel()
	elsewhere, link := t.TempDir(), filepath.Join(t.TempDir(), "tool")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(link, "a")
	if err := errors.Join(scratch.Make(dir), scratch.Remove(dir)); err != nil || !exists(link) || exists(dir) {
		t.Errorf("%v; the link is there: %t", err, exists(link))
	}
}

// TestSharedCannotBeMade checks that a dangling link is not mistaken for an existing directory
// of a cluster.
func TestSharedCannotBeMade(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "tool")
	if err := os.Symlink(filepath.Join(t.TempDir(), "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	if err := scratch.Make(filepath.Join(link, "a")); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
}

// TestSideBySide checks that concurrent callers get the shared directory while others remove
// it.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	shared := filepath.Join(t.TempDir(), "tool")
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			dir := filepath.Join(shared, strconv.Itoa(i))
			for range 500 {
				if err := errors.Join(scratch.Make(dir), scratch.Remove(dir)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if exists(shared) {
		t.Error("the shared directory is left")
	}
}
