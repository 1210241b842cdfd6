package kubeconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRemoveRestoresFile(t *testing.T) {
	t.Parallel()
	for name, text := range layouts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, path := home(t, text)
			mine := own("lab", "Y2E=")
			before, err := f.Current()
			if err != nil {
				t.Fatal(err)
			}
			m := merge(t, f, mine)
			if m.Path != path || m.Context != "kind-lab" || m.Previous != before {
				t.Errorf("Merge did %+v; before, %q was current", m, before)
			}
			if now, err := f.Current(); err != nil || now != "kind-lab" {
				t.Errorf("current after Merge: %q, %v", now, err)
			}
			during := content(t, path)
			for _, line := range strings.Split(text, "\n") {
				line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
				if strings.HasPrefix(line, "current-context:") || strings.HasSuffix(line, ": null") || strings.Contains(line, "[]") || strings.HasSuffix(line, ": ~") {
					continue
				}
				if !strings.Contains(during, line) {
					t.Errorf("Merge lost the line %q", line)
				}
			}
			merge(t, f, mine)
			if diff := cmp.Diff(during, content(t, path)); diff != "" {
				t.Errorf("a second Merge changed the file:\n%s", diff)
			}
			remove(t, f, "kind-lab", mine)
			if diff := cmp.Diff(text, content(t, path)); diff != "" {
				t.Errorf("after Remove (-before +after):\n%s\nduring:\n%s", diff, during)
			}
			noLeftovers(t, path)
		})
	}
}

// The file is restored with the last of two clusters, in any order of removal.
func TestRemoveRestoresFileAfterTwo(t *testing.T) {
	t.Parallel()
	for name, text := range layouts() {
		for _, first := range []string{"aa", "bb"} {
			t.Run(name+", first "+first, func(t *testing.T) {
				t.Parallel()
				f, path := home(t, text)
				clusters := map[string][]byte{"aa": own("aa", "YWE="), "bb": own("bb", "YmI=")}
				merge(t, f, clusters["aa"])
				merge(t, f, clusters["bb"])
				remove(t, f, "kind-"+first, clusters[first])
				delete(clusters, first)
				for last, mine := range clusters {
					remove(t, f, "kind-"+last, mine)
				}
				if diff := cmp.Diff(text, content(t, path)); diff != "" {
					t.Errorf("after both (-before +after):\n%s", diff)
				}
			})
		}
	}
}

func TestCreatedFileIsRemoved(t *testing.T) {
	t.Parallel()
	f, path := home(t, "")
	dir := filepath.Dir(path)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	aa, bb := own("aa", "YWE="), own("bb", "YmI=")
	merge(t, f, aa)
	for p, want := range map[string]os.FileMode{dir: 0o700, path: 0o600} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", p, info.Mode(), err, want)
		}
	}
	merge(t, f, bb)
	remove(t, f, "kind-aa", aa)
	if got := content(t, path); !strings.Contains(got, "kind-bb") || strings.Contains(got, "kind-aa") {
		t.Errorf("with one of two left:\n%s", got)
	}
	remove(t, f, "kind-bb", bb)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory that lab created still exists: %v, %s", err, content(t, path))
	}
	remove(t, f, "kind-bb", bb) // again
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a second Remove created %s", dir)
	}
}

// A comment in a file that lab created is the user's.
func TestCreatedFileWithCommentStays(t *testing.T) {
	t.Parallel()
	f, path := home(t, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	write(t, path, "# note to self\n"+content(t, path))
	remove(t, f, "kind-lab", mine)
	if got := content(t, path); got != "# note to self\n" {
		t.Errorf("the file is %q", got)
	}
}

func noLeftovers(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			t.Errorf("leftover: %s", e.Name())
		}
	}
}
