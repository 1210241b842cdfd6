//go:build unix

package machine

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestHandBack: files that root creates under sudo in a user's home belong to the user
// afterwards. Other files, and files that existed, do not change.
func TestHandBack(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const uid, gid = 54321, 54322
	home, elsewhere := t.TempDir(), t.TempDir()
	put := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(parts ...string) string { return filepath.Join(append([]string{home}, parts...)...) }
	old, foreign, tmp := in(".local", "state", "lab", "old"), in(".kube", "foreign"), in(".kube", "config.lock")
	put(old) // of an older lab that did not hand it back
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{home, in(".local"), in(".local", "state")} {
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	hard := filepath.Join(elsewhere, "shadow")
	put(hard)

	env := map[string]string{"SUDO_UID": "54321", "SUDO_GID": "54322"}
	dirs := Dirs{State: in(".local", "state", "lab"), Cache: in(".cache", "lab"), Config: filepath.Join(elsewhere, "lab"), Bin: in(".local", "state", "lab", "bin")}
	after := dirs.HandBack(func(key string) string { return env[key] }, []string{in(".kube", "config")})
	for _, path := range []string{in(".local", "state", "lab", "new", "file"), in(".cache", "lab", "charts", "x"), in(".kube", "config"), foreign, tmp, filepath.Join(elsewhere, "lab", "file")} {
		put(path)
	}
	if err := os.Symlink(hard, in(".cache", "lab", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(hard, in(".cache", "lab", "hard")); err != nil {
		t.Logf("no hard links here: %v", err)
	}
	after()

	want := map[string]int{
		old: uid, in(".local", "state", "lab", "new", "file"): uid, in(".cache"): uid, in(".cache", "lab", "charts", "x"): uid,
		in(".cache", "lab", "link"): uid, in(".kube"): uid, in(".kube", "config"): uid,
		foreign: 0, tmp: 0, hard: 0, filepath.Join(elsewhere, "lab"): 0, filepath.Join(elsewhere, "lab", "file"): 0,
	}
	for path, id := range want {
		if info, err := os.Lstat(path); err != nil || ownerOf(info) != id {
			t.Errorf("%s belongs to %d, %v; want %d", path, ownerOrNone(info), err, id)
		}
	}
	if _, ok := sudoer(func(string) string { return "" }); ok {
		t.Error("root itself is taken for sudo")
	}
}

func ownerOrNone(info fs.FileInfo) int {
	if info == nil {
		return -1
	}
	return ownerOf(info)
}
