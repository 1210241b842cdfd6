// Package scratch keeps directories of clusters in one that all of them share, and that
// is there only as long as one of them is.
package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// attempts is how often the shared directory may be taken away at the very moment. Each
// takes another lab that has just removed its last cluster.
const attempts = 100

// Make makes a cluster's directory and the shared one that it is in, for their owner
// alone. Of several callers it lets one through, and returns [fs.ErrExist] to the others.
func Make(dir string) error {
	for n := 1; ; n++ {
		err := os.MkdirAll(filepath.Dir(dir), 0o700)
		vanished := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) // it was there, and then was not
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

// Remove removes a cluster's directory with all that is in it, and the shared one once
// that is empty. A directory that is not there is no error.
func Remove(dir string) error {
	err := os.RemoveAll(dir)
	shared := filepath.Dir(dir)
	// Somebody may have put a link in its place, to a larger disk, and that is theirs.
	if info, err := os.Lstat(shared); err == nil && info.IsDir() {
		_ = os.Remove(shared) // fails as long as there is something in it
	}
	return err
}
