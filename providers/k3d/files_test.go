//go:build !windows

package k3d

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// TestRemoveHostsFiles checks that only files of the cluster's nodes are removed.
func TestRemoveHostsFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for name, text := range map[string]string{
		"k3d-hostsfile-1": "127.0.0.1 localhost\n172.18.0.2 k3d-lab-server-0\n",
		"k3d-hostsfile-2": "172.18.0.2 k3d-lab-server-01\n", "k3d-hostsfile-3": "", "other": "172.18.0.2 k3d-lab-server-0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "k3d-hostsfile-4"), 0o700); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "k3d-hostsfile-5") // of an earlier cluster of the name
	if err := os.WriteFile(old, []byte("172.18.0.2 k3d-lab-server-0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	created := node("server-0", "running").Created
	if err := os.Chtimes(old, created, created.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	removeHostsFiles([]docker.Container{node("serverlb", "running"), node("server-0", "running")})
	wantEntries(t, dir, "k3d-hostsfile-2", "k3d-hostsfile-3", "k3d-hostsfile-4", "k3d-hostsfile-5", "other")
}

// TestRemoveMemoryFiles checks that the user's files stay, also if a name is a path.
func TestRemoveMemoryFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", home)
	dir := filepath.Join(home, ".config", "k3d")
	for _, name := range []string{".k3d-lab-server-0", ".k3d-other-server-0"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "edac"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	evil := node("server-0", "exited")
	evil.Name = "x/../../keep"
	if err := os.MkdirAll(filepath.Join(home, ".config", "keep"), 0o700); err != nil {
		t.Fatal(err)
	}
	remove := func(c docker.Container) {
		t.Helper()
		if err := removeMemoryFiles([]docker.Container{c}); err != nil {
			t.Error(err)
		}
	}
	remove(node("server-0", "exited"))
	remove(evil)
	wantEntries(t, dir, ".k3d-other-server-0")
	other := node("server-0", "exited")
	other.Name = "k3d-other-server-0"
	remove(other)
	wantEntries(t, filepath.Join(home, ".config"), "keep")

	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	if err := os.Mkdir(filepath.Join(home, ".config", ".k3d-lab-server-0"), 0o700); err != nil {
		t.Fatal(err)
	}
	remove(node("server-0", "exited"))
	wantEntries(t, filepath.Join(home, ".config"), "keep")
}

func wantEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", dir, diff)
	}
}
