//go:build unix

package lab

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// person is the user who called sudo.
type person struct{ uid, gid int }

// sudoer returns the user who called sudo, if this process is root on their behalf.
func sudoer(getenv func(string) string) (p person, ok bool) {
	uid, err := strconv.Atoi(getenv("SUDO_UID"))
	gid, err2 := strconv.Atoi(getenv("SUDO_GID"))
	return person{uid, gid}, err == nil && err2 == nil && uid > 0 && os.Geteuid() == 0
}

// HandBack must be called before a command, and the function that it returns after it. Under
// sudo with the user's HOME, that function gives the user what the command created as root
// in the user's directories: lab's own directories, the kubeconfig, and the directories above
// them. Otherwise root's files would keep the user from using lab. Files that cannot be given
// stay root's, and the next command that needs them says so.
func (l *Lab) HandBack(getenv func(string) string) (after func()) {
	p, ok := sudoer(getenv)
	if !ok {
		return func() {}
	}
	var created []string // what may have been created, the topmost first
	for _, path := range slices.Concat(l.own, l.Kubeconfig.Paths) {
		for ; absent(path) && filepath.Dir(path) != path; path = filepath.Dir(path) {
			created = append(created, path)
		}
	}
	slices.SortFunc(created, func(a, b string) int { return len(a) - len(b) })
	return func() {
		for _, path := range created {
			p.take(path)
		}
		for _, dir := range l.own {
			p.take(dir)
			p.takeAll(dir)
		}
	}
}

func absent(path string) bool {
	_, err := os.Lstat(path)
	return err != nil
}

// take gives p a path of root's in a directory of p's.
func (p person) take(path string) {
	if info, err := os.Lstat(path); err == nil && owner(info) == 0 && p.owns(filepath.Dir(path)) {
		_ = os.Lchown(path, p.uid, p.gid)
	}
}

func (p person) owns(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && owner(info) == p.uid
}

// takeAll gives p everything of root's in a directory of p's. It follows no link, and leaves
// files with a second name, which may be somewhere else.
func (p person) takeAll(dir string) {
	if !p.owns(dir) {
		return
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return
	}
	defer root.Close()
	_ = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // and go on with the rest
		}
		info, err := root.Lstat(path)
		if err == nil && owner(info) == 0 && (info.IsDir() || links(info) == 1) {
			_ = root.Lchown(path, p.uid, p.gid)
		}
		return nil
	})
}

func owner(info fs.FileInfo) int {
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
