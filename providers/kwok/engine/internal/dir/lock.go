//go:build unix

package dir

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrLocked is returned where another engine is alive in the directory.
var ErrLocked = errors.New("another engine runs this cluster")

// Lock takes the lock of the working directory's cluster; it is let go when the
// process ends, however it ends. The file must stay open until then, and must not
// be opened again by this process: closing any descriptor of it lets go of the
// lock. fcntl is used, and not flock, because its holder can be asked for.
func Lock() (*os.File, error) {
	f, err := os.OpenFile(LockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK})
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		err = heldBy(f)
	}
	return nil, errors.Join(err, f.Close())
}

func heldBy(f *os.File) error {
	holder := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &holder); err != nil || holder.Type == syscall.F_UNLCK {
		return ErrLocked
	}
	return fmt.Errorf("%w: process %d", ErrLocked, holder.Pid)
}
