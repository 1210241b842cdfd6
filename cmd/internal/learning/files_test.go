package learning

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestWriteFilesFollowsNoLink checks that neither a link at the place of a file, to an existing file or to none, nor a link
// at the place of its directory leads a write to another place, and that then nothing is written.
func TestWriteFilesFollowsNoLink(t *testing.T) {
	t.Parallel()
	e := &exercises.Exercise{Name: "one", Files: []exercises.File{{Path: "a.yaml", Data: []byte("a")}, {Path: "chart/values.yaml", Data: []byte("b")}}}
	for what, test := range map[string]struct {
		link, target string
		kind         error
	}{
		"file":           {filepath.Join("chart", "values.yaml"), "existing", fault.ErrExists},
		"same content":   {filepath.Join("chart", "values.yaml"), "same", fault.ErrExists},
		"dangling":       {filepath.Join("chart", "values.yaml"), "missing", fault.ErrExists},
		"directory":      {"chart", ".", fault.ErrUnavailable},
		"dangling above": {"chart", "missing", fault.ErrUnavailable},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir, outside := t.TempDir(), t.TempDir()
			for name, data := range map[string]string{"existing": "mine", "same": "b"} {
				if err := os.WriteFile(filepath.Join(outside, name), []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			link := filepath.Join(dir, test.link)
			if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, test.target), link); err != nil {
				t.Skip(err)
			}
			if _, err := WriteFiles(e, dir); !errors.Is(err, test.kind) || fault.HintOf(err) == "" {
				t.Errorf("%v, want %v with a hint", err, test.kind)
			}
			files, err := os.ReadDir(outside)
			if err != nil || len(files) != 2 {
				t.Errorf("outside: %v, %v", files, err)
			}
			if data, err := os.ReadFile(filepath.Join(outside, "existing")); string(data) != "mine" {
				t.Errorf("outside: %q, %v", data, err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "a.yaml")); test.kind == fault.ErrExists && err == nil {
				t.Error("a file was written")
			}
		})
	}
}

// TestWriteFilesAgain checks that files with the same content stay.
func TestWriteFilesAgain(t *testing.T) {
	t.Parallel()
	e := &exercises.Exercise{Name: "one", Files: []exercises.File{{Path: "chart/values.yaml", Data: []byte("b")}}}
	dir := filepath.Join(t.TempDir(), "new")
	for range 2 {
		paths, err := WriteFiles(e, dir)
		if err != nil || len(paths) != 1 {
			t.Fatalf("%v, %v", paths, err)
		}
		if data, err := os.ReadFile(paths[0]); string(data) != "b" {
			t.Errorf("%q, %v", data, err)
		}
	}
}
