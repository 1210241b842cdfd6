package store

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// free returns the free space, in bytes, of the disk of path, or of the nearest directory above it that exists.
func free(path string) (int64, error) {
	for {
		name, err := windows.UTF16PtrFromString(path)
		if err != nil {
			return 0, err
		}
		var available uint64
		err = windows.GetDiskFreeSpaceEx(name, &available, nil, nil)
		if err == nil {
			return int64(available), nil
		}
		if up := filepath.Dir(path); errors.Is(err, windows.ERROR_PATH_NOT_FOUND) && up != path {
			path = up
			continue
		}
		return 0, err
	}
}
