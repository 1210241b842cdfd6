package bundles

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// filesIn returns the content of the files in a directory by their names.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		check(t, err)
		files[e.Name()] = string(data)
	}
	return files
}

// TestPartsTogether checks that files get their names together, and that no file remains after an error.
func TestPartsTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := NewParts(filepath.Join(dir, "class.lab"), 4)
	check(t, err)
	_, err = p.Write([]byte("0123456789"))
	check(t, err)
	unfinished := map[string]string{"class.lab.part": "0123", "class.lab.part.002": "4567", "class.lab.part.003": "89"}
	if diff := cmp.Diff(unfinished, filesIn(t, dir)); diff != "" {
		t.Errorf("unfinished (-want +got):\n%s", diff)
	}
	names, err := p.Commit()
	check(t, err)
	p.Discard()
	if len(names) != 3 || !strings.HasSuffix(names[2], "class.lab.003") {
		t.Errorf("%q", names)
	}
	if diff := cmp.Diff(map[string]string{"class.lab.001": "0123", "class.lab.002": "4567", "class.lab.003": "89"}, filesIn(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPartsKeepFiles checks that a bundle never replaces a file, even one that is created while the bundle is written.
func TestPartsKeepFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"class.lab", "class.lab.001", "class.lab.007", "class.lab.1000", "class.lab.part", "class.lab.part.002"} {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
		for _, limit := range []int64{0, 4} {
			if _, err := NewParts(filepath.Join(dir, "class.lab"), limit); !errors.Is(err, fault.ErrExists) || !strings.Contains(fault.HintOf(err), name) {
				t.Errorf("%s: %v (hint %q)", name, err, fault.HintOf(err))
			}
		}
	}
	dir := t.TempDir()
	p, err := NewParts(filepath.Join(dir, "class.lab"), 4)
	check(t, err)
	if _, err := NewParts(filepath.Join(dir, "class.lab"), 4); !errors.Is(err, fault.ErrExists) {
		t.Errorf("at once: %v", err)
	}
	_, err = p.Write([]byte("01234567"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "class.lab.002"), []byte("mine"), 0o600))
	if _, err := p.Commit(); !errors.Is(err, fault.ErrExists) {
		t.Errorf("in between: %v", err)
	}
	p.Discard()
	if diff := cmp.Diff(map[string]string{"class.lab.002": "mine"}, filesIn(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPartsNowhere checks that a name that cannot be written is refused before anything is fetched.
func TestPartsNowhere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", filepath.Join(t.TempDir(), "none", "class.lab")} {
		if _, err := NewParts(path, 0); !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v (hint %q)", path, err, fault.HintOf(err))
		}
	}
}
