//go:build unix

package store

import (
	"errors"
	"path/filepath"
	"syscall"
)

// free returns the free space, in bytes, of the disk of path, or of the nearest directory above it that exists.
func free(path string) (int64, error) {
	for {
		var s syscall.Statfs_t
		err := syscall.Statfs(path, &s)
		if err == nil {
			return int64(uint64(s.Bavail) * uint64(s.Bsize)), nil
		}
		if up := filepath.Dir(path); errors.Is(err, syscall.ENOENT) && up != path {
			path = up
			continue
		}
		return 0, err
	}
}
