//go:build unix

package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// ErrLocked is the error of Lock if another engine runs in the directory.
var ErrLocked = errors.New("another engine runs this cluster")

// ErrRemoved is the error of AwaitRemoval.
var ErrRemoved = errors.New("another program removed the directory of the cluster")

// lookEvery is how often AwaitRemoval looks for the lock.
const lookEvery = 500 * time.Millisecond

// Lock takes the lock of the cluster in the working directory. The kernel releases it when the process
// ends. The file must stay open until then, and the process must not open it again: closing any of its
// descriptors releases the lock. Lock uses fcntl, not flock, because other programs can query the holder
// of an fcntl lock.
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

// AwaitRemoval returns ErrRemoved as soon as the lock is no longer in the working directory, or nil when ctx
// ends. It opens no file, because closing that would release the lock.
func AwaitRemoval(ctx context.Context, lock *os.File) error {
	held, err := lock.Stat()
	if err != nil {
		return err
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		found, err := os.Stat(LockFile)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(held, found) {
			return ErrRemoved
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
