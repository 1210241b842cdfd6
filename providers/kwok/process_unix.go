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

const supported = true

// errUnseen is an engine of another container or machine.
var errUnseen = fault.WithHint(
	errors.New("its engine runs where lab cannot see it: in another container, or on another machine"),
	"run lab where the cluster was created")

// detached puts a process into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// holder returns the id of the process that holds the lock of the cluster in dir,
// which is its engine, or 0 where it is free.
//
// It only asks. Taking the lock to see whether it is free would make lab the
// holder for that moment, and another lab would kill it for the engine.
func holder(dir string) (pid int, err error) {
	file, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &lock); err != nil {
		return 0, &fs.PathError{Op: "ask for the lock", Path: file.Name(), Err: err}
	}
	switch {
	case lock.Type == syscall.F_UNLCK:
		return 0, nil
	case lock.Pid <= 0:
		// To signal 0 or less would hit a whole group of processes, our own first.
		return 0, errUnseen
	}
	return int(lock.Pid), nil
}
