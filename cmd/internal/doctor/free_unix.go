//go:build unix

package doctor

import (
	"path/filepath"
	"syscall"
)

// free returns the free space of the disk of path, or of the nearest directory above it that exists.
func free(path string) (uint64, error) {
	for {
		var s syscall.Statfs_t
		err := syscall.Statfs(path, &s)
		if err == nil {
			return uint64(s.Bavail) * uint64(s.Bsize), nil
		}
		if up := filepath.Dir(path); err == syscall.ENOENT && up != path {
			path = up
			continue
		}
		return 0, err
	}
}
