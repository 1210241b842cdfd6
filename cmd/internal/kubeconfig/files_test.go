package kubeconfig_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestFromEnv(t *testing.T) {
	t.Parallel()
	list := string(filepath.ListSeparator)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	a, b, config := filepath.Join(here, "a"), filepath.Join(here, "b"), filepath.Join("home", ".kube", "config")
	for env, want := range map[string][]string{
		"":                            {config},
		list:                          nil,
		"a":                           {a},
		"b" + list + list + "a":       {b, a},
		a + list + "b" + list + "./a": {a, b},
	} {
		getenv := func(key string) string { return map[string]string{"KUBECONFIG": env}[key] }
		if diff := cmp.Diff(want, kubeconfig.FromEnv(getenv, "home").Paths); diff != "" {
			t.Errorf("KUBECONFIG=%q (-want +got):\n%s", env, diff)
		}
	}
}

// One file under two names is edited once, and restored.
func TestSameFileTwice(t *testing.T) {
	t.Parallel()
	f, path := home(t, "kind: Config\n")
	f.Paths = append(f.Paths, filepath.Dir(path)+"/../.kube/config")
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	remove(t, f, "kind-lab", mine)
	if got := content(t, path); got != "kind: Config\n" {
		t.Errorf("the file is %q", got)
	}
}

// Merge writes to the file that kubectl would write to, and Remove restores all files.
func TestSeveralFiles(t *testing.T) {
	t.Parallel()
	mine := own("lab", "Y2E=")
	const absent = "absent"
	tests := map[string]struct {
		files []string
		wrote int
	}{
		"first":             {[]string{theirs, "kind: Config\n"}, 0},
		"first existing":    {[]string{absent, theirs}, 1},
		"last of none":      {[]string{absent, absent}, 1},
		"current in second": {[]string{"kind: Config\n", theirs}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var f kubeconfig.Files
			for i, text := range tt.files {
				path := filepath.Join(dir, string(rune('a'+i)))
				f.Paths = append(f.Paths, path)
				if text != absent {
					write(t, path, text)
				}
			}
			before, _ := f.Current()
			m := merge(t, f, mine)
			if m.Path != f.Paths[tt.wrote] || m.Previous != before {
				t.Errorf("Merge did %+v; before, %q was current", m, before)
			}
			if now, _ := f.Current(); now != "kind-lab" {
				t.Errorf("current is %q", now)
			}
			remove(t, f, "kind-lab", mine)
			if now, _ := f.Current(); now != before {
				t.Errorf("current is %q; before it was %q", now, before)
			}
			for i, text := range tt.files {
				data, err := os.ReadFile(f.Paths[i])
				if text == absent && !os.IsNotExist(err) || text != absent && string(data) != text {
					t.Errorf("file %d: %q, %v", i, data, err)
				}
			}
		})
	}
}

// The entries may be in one file, and the current context in an earlier one.
func TestEntriesInSecondFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	write(t, second, theirs)
	mine := own("lab", "Y2E=")
	merge(t, kubeconfig.Files{Paths: []string{second}}, mine)
	write(t, first, "kind: Config\ncurrent-context: \"prod\"\n")
	both := kubeconfig.Files{Paths: []string{first, second}}
	if m := merge(t, both, mine); m.Path != second {
		t.Errorf("Merge wrote to %s", m.Path)
	}
	if now, _ := both.Current(); now != "kind-lab" {
		t.Errorf("current is %q", now)
	}
	remove(t, both, "kind-lab", mine)
	if got := content(t, first); got != "kind: Config\ncurrent-context: \"prod\"\n" {
		t.Errorf("the first file is %q", got)
	}
	if got := content(t, second); strings.Contains(got, "kind-lab") {
		t.Errorf("the second file is %s", got)
	}
}

func TestSymlinks(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // Windows requires a privilege to create links
	}
	mine := own("lab", "Y2E=")
	for name, exists := range map[string]bool{"of a file": true, "of nothing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file, link := filepath.Join(dir, "dotfiles", "config"), filepath.Join(dir, "config")
			write(t, file, theirs)
			if !exists {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(filepath.Join("dotfiles", "config"), link); err != nil {
				t.Fatal(err)
			}
			f := kubeconfig.Files{Paths: []string{link}}
			merge(t, f, mine)
			if !strings.Contains(content(t, file), "kind-lab") {
				t.Error("the target of the link was not written")
			}
			remove(t, f, "kind-lab", mine)
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("the link was replaced: %v", err)
			}
			if data, err := os.ReadFile(file); exists && string(data) != theirs || !exists && !os.IsNotExist(err) {
				t.Errorf("the file is %q, %v", data, err)
			}
		})
	}
}

func TestUnwritable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // Windows has other modes and no such device
	}
	f, path := home(t, theirs)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(path, "below", "a file")
	tests := map[string]struct {
		files kubeconfig.Files
		kind  error
		hint  string
	}{
		"read-only":         {f, fault.ErrUnavailable, "chmod u+w " + path},
		"a device":          {kubeconfig.Files{Paths: []string{os.DevNull}}, fault.ErrInvalid, "KUBECONFIG"},
		"a directory":       {kubeconfig.Files{Paths: []string{t.TempDir()}}, fault.ErrInvalid, "KUBECONFIG"},
		"beneath a file":    {kubeconfig.Files{Paths: []string{blocked}}, fault.ErrUnavailable, "ls -ld"},
		"device and a file": {kubeconfig.Files{Paths: []string{os.DevNull, path}}, fault.ErrInvalid, "KUBECONFIG"},
	}
	for name, tt := range tests {
		_, err := tt.files.Merge(t.Context(), own("lab", "Y2E="), kubeconfig.Options{SetCurrent: true})
		if !errors.Is(err, tt.kind) || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%s: %v, hint %q; want %v and %q", name, err, fault.HintOf(err), tt.kind, tt.hint)
		}
	}
	if got := content(t, path); got != theirs {
		t.Errorf("the file was changed to %s", got)
	}
	noLeftovers(t, path)
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("the null device: %v, %v", info, err)
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // Windows has no such modes
	}
	f, path := home(t, theirs)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	merge(t, f, own("lab", "Y2E="))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}
