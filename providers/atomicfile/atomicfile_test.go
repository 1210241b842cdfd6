package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"one", "", "two"} {
		if err := atomicfile.Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("the file holds %q, %v; want %q", got, err, text)
		}
	}
	onlyFile(t, path)
}

func TestWriteKeepsMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // Windows has no such modes
	}
	path := filepath.Join(t.TempDir(), "file")
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o604} {
		if mode != 0o600 {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		if err := atomicfile.Write(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode is %v, %v; want %v", info.Mode(), err, mode)
		}
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := atomicfile.Write(filepath.Join(dir, "no", "file"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing directory: %v; want ErrNotExist", err)
	}
	// A directory cannot be replaced by a file: the rename fails.
	target := filepath.Join(dir, "target")
	if err := os.MkdirAll(filepath.Join(target, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(target, []byte("x"), 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	onlyFile(t, target)
}

// A file that looks like a temporary file may be another program's.
func TestWriteKeepsOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	theirs := filepath.Join(dir, ".file.lab-notes")
	if err := os.WriteFile(theirs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(theirs, long, long); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error(err)
	}
}

func TestRemoveLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, stays := range map[string]bool{
		".file.lab-1": false, ".file.lab-0123456789": false,
		"file": true, ".file.lab-": true, ".file.lab-notes": true, ".file.lab-1.txt": true, ".other.lab-1": true, "file.lab-1": true,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		atomicfile.RemoveLeftovers(filepath.Join(dir, "file"))
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v, stays: %v", name, err, stays)
		}
	}
}

// A file that a rename cannot replace is written in place.
func TestReplaceMountPoint(t *testing.T) {
	t.Parallel()
	for _, refused := range []error{syscall.EBUSY, syscall.EXDEV} {
		for _, text := range []string{"", "shorter", strings.Repeat("longer", 100)} {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte("the old content"), 0o640); err != nil {
				t.Fatal(err)
			}
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			tmp, err := os.Create(path + ".lock")
			if err != nil {
				t.Fatal(err)
			}
			rename := func(from, to string) error { return &os.LinkError{Op: "rename", Old: from, New: to, Err: refused} }
			if err := atomicfile.ReplaceBy(tmp, path, []byte(text), 0o600, rename); err != nil {
				t.Fatal(err)
			}
			after, err := os.Stat(path)
			if got, _ := os.ReadFile(path); err != nil || string(got) != text || !os.SameFile(before, after) {
				t.Errorf("%v: the file has %q, %v", refused, got, err)
			}
			onlyFile(t, path)
		}
	}
}

// failing is a file of which at most room bytes can be written at once.
type failing struct {
	text string
	room int
}

func (f *failing) WriteAt(data []byte, _ int64) (int, error) {
	n := min(len(data), f.room)
	f.text = string(data[:n]) + f.text[min(n, len(f.text)):]
	if n < len(data) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *failing) Truncate(size int64) error {
	f.text = f.text[:size]
	return nil
}

func (f *failing) Sync() error { return nil }

func TestOverwriteRestores(t *testing.T) {
	t.Parallel()
	f := &failing{text: "the old content", room: 20}
	err := atomicfile.OverwriteFile(f, []byte(f.text), []byte(strings.Repeat("new", 10)))
	if !errors.Is(err, syscall.ENOSPC) || f.text != "the old content" {
		t.Errorf("the file has %q, %v", f.text, err)
	}
	f.room = 5
	err = atomicfile.OverwriteFile(f, []byte(f.text), []byte("new content"))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "cannot restore the old content") {
		t.Errorf("nothing can be written: %v", err)
	}
}

// onlyFile checks that path is the only file in its directory.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("beside %s there is %v", path, entries)
	}
}

// The mode of an immutable file does not matter.
func TestFixImmutable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for refused, want := range map[error]string{syscall.EPERM: "sudo chattr -i " + path, syscall.EACCES: "chmod u+w " + path} {
		if got := atomicfile.Fix(&fs.PathError{Op: "open", Path: path, Err: refused}); got != want {
			t.Errorf("%v: %q, want %q", refused, got, want)
		}
	}
}
