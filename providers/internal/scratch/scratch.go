// Package scratch keeps temporary directories of clusters in one shared directory, which exists
// only as long as one of them does.
package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// attempts bounds how often another lab process may remove the shared directory at the same
// moment, when it removes its last cluster.
const attempts = 100

// Make creates a cluster's directory and the shared one above it, for their owner only. If
// several callers create the same one, all but the first get [fs.ErrExist].
func Make(dir string) error {
	for n := 1; ; n++ {
		err := os.MkdirAll(filepath.Dir(dir), 0o700)
		vanished := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) // another process removed it meanwhile
		if err == nil {
			err = os.Mkdir(dir, 0o700)
			vanished = errors.Is(err, fs.ErrNotExist)
		} else if n == attempts {
			err = fmt.Errorf("the directory of all clusters: %v", err) // whose fs.ErrExist would be taken for that of dir
		}
		if !vanished || n == attempts {
			return err
		}
	}
}

// Remove removes a cluster's directory with its contents, and the shared one if it is empty
// then. It returns nil if the directory does not exist.
func Remove(dir string) error {
	err := os.RemoveAll(dir)
	shared := filepath.Dir(dir)
	// The user may have replaced it with a link to a larger disk: that stays.
	if info, err := os.Lstat(shared); err == nil && info.IsDir() {
		_ = os.Remove(shared) // fails if it is not empty
	}
	return err
}
