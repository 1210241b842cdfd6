//go:build linux || darwin

package kwok

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// supported is true: fcntl locks show whether an engine runs.
const supported = true

// errUnseen is the error of an engine that runs in another container or on another machine.
var errUnseen = fault.WithHint(
	errors.New("lab cannot see its lab-engine, which runs in another container or on another machine"),
	"run lab where the cluster was created")

// detached returns attributes that start a process in a new session.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// holder returns the ID of the process that holds the lock of the cluster in dir: its engine. If the lock
// was deleted, that is the process which still holds the deleted file. It returns 0 if no process holds it.
//
// holder only queries the lock. If it took the lock to test it, lab would hold the lock for a moment, and
// another lab process would take lab for the engine and kill it.
func holder(dir string) (pid int, err error) {
	pid, err = holderOf(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return orphans(filepath.Dir(dir))[filepath.Base(dir)], nil
	}
	return pid, err
}

// holderOf returns the ID of the process that holds the lock on a file, or 0. It returns fs.ErrNotExist if
// there is no file.
func holderOf(path string) (pid int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &lock); err != nil {
		return 0, &fs.PathError{Op: "query the lock", Path: file.Name(), Err: err}
	}
	switch {
	case lock.Type == syscall.F_UNLCK:
		return 0, nil
	case lock.Pid <= 0:
		// A signal to 0 or to a negative ID would reach a whole process group, such as that of lab.
		return 0, errUnseen
	}
	return int(lock.Pid), nil
}
