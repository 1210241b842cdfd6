//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives tmp the owner of old. It ignores errors, because only root can do that.
func keepOwner(tmp *os.File, old fs.FileInfo) {
	if st, ok := old.Sys().(*syscall.Stat_t); ok {
		_ = tmp.Chown(int(st.Uid), int(st.Gid))
	}
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// access returns an error if this process may not create files in dir.
func access(dir string) error {
	if err := syscall.Access(dir, 0o3); err != nil { // W_OK and X_OK
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}
