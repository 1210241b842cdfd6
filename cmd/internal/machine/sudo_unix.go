//go:build unix

package machine

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// owner is the user who called sudo.
type owner struct{ uid, gid int }

// sudoer returns the user who called sudo, if this process is root on their behalf.
func sudoer(getenv func(string) string) (o owner, ok bool) {
	uid, err := strconv.Atoi(getenv("SUDO_UID"))
	gid, err2 := strconv.Atoi(getenv("SUDO_GID"))
	return owner{uid, gid}, err == nil && err2 == nil && uid > 0 && os.Geteuid() == 0
}

// HandBack must be called before a command, and the function that it returns after it. Under sudo with
// the user's HOME, that function gives the user what the command created as root in the user's
// directories: the directories of lab, the kubeconfig files, and the directories above them.
// Otherwise root's files would keep the user from using lab. A file that cannot be given stays root's,
// and the next command that needs it reports that.
func (d Dirs) HandBack(getenv func(string) string, kubeconfigs []string) (after func()) {
	user, ok := sudoer(getenv)
	if !ok {
		return func() {}
	}
	own := []string{d.State, d.Cache, d.Config, d.Bin}
	var created []string // paths that the command may create, shortest first
	for _, path := range slices.Concat(own, kubeconfigs) {
		for ; absent(path) && filepath.Dir(path) != path; path = filepath.Dir(path) {
			created = append(created, path)
		}
	}
	slices.SortFunc(created, func(a, b string) int { return len(a) - len(b) })
	return func() {
		for _, path := range created {
			user.take(path)
		}
		for _, dir := range own {
			user.take(dir)
			user.takeAll(dir)
		}
	}
}

func absent(path string) bool {
	_, err := os.Lstat(path)
	return err != nil
}

// take gives the user a path of root's in a directory of the user's.
func (o owner) take(path string) {
	if info, err := os.Lstat(path); err == nil && ownerOf(info) == 0 && o.owns(filepath.Dir(path)) {
		_ = os.Lchown(path, o.uid, o.gid)
	}
}

func (o owner) owns(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && ownerOf(info) == o.uid
}

// takeAll gives the user everything of root's in a directory of the user's. It follows no link, and
// skips files with a second name, which may be outside.
func (o owner) takeAll(dir string) {
	if !o.owns(dir) {
		return
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return
	}
	defer root.Close()
	_ = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // continue with the rest
		}
		info, err := root.Lstat(path)
		if err == nil && ownerOf(info) == 0 && (info.IsDir() || links(info) == 1) {
			_ = root.Lchown(path, o.uid, o.gid)
		}
		return nil
	})
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func links(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Nlink)
	}
	return 0
}
