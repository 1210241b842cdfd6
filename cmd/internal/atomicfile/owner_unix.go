//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner hands tmp to the owner of old. Only root can, so errors do not matter.
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

// access tells whether this process may create files in dir.
func access(dir string) error {
	if err := syscall.Access(dir, 0o3); err != nil { // W_OK and X_OK
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}
