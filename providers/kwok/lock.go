package kwok

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	// killedWithin is how long a killed process may take to release the lock. Only a process that hangs
	// in the kernel takes longer.
	killedWithin = 10 * time.Second

	// exitsWithin is how long a process may take to exit after it released the lock.
	exitsWithin = 300 * time.Millisecond
)

var errTooSlow = errors.New("timed out")

// end ends the engine that runs in dir, if any, and returns when it has ended. It first sends SIGTERM
// and waits for grace, unless grace is 0, and then kills the engine.
func end(ctx context.Context, dir string, grace time.Duration) error {
	process, err := engineOf(dir)
	if err != nil || process == nil {
		return err
	}
	defer func() { _ = process.Release() }()
	if grace > 0 {
		err := send(process, syscall.SIGTERM)
		if err == nil {
			err = awaitFree(ctx, dir, grace)
		}
		if !errors.Is(err, errTooSlow) {
			awaitExit(ctx, process)
			return err
		}
	}
	if err := send(process, syscall.SIGKILL); err != nil {
		return err
	}
	if err := awaitFree(ctx, dir, killedWithin); err != nil {
		return fmt.Errorf("its lab-engine was killed, but has not ended: %w", err)
	}
	awaitExit(ctx, process)
	return nil
}

// engineOf returns the process that holds the lock of dir, or nil. The caller must release it.
func engineOf(dir string) (*os.Process, error) {
	pid, err := holder(dir)
	if err != nil || pid == 0 {
		return nil, err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, fmt.Errorf("its lab-engine, process %d: %w", pid, err)
	}
	// Another process may have got the process ID in the meantime. On Linux, process is a handle, which
	// no other process can get. So check again that it holds the lock.
	if again, err := holder(dir); err != nil || again != pid {
		return nil, errors.Join(err, process.Release())
	}
	return process, nil
}

// send sends a signal. A process that has ended is not an error.
func send(process *os.Process, signal os.Signal) error {
	if err := process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("its lab-engine, process %d: %w", process.Pid, err)
	}
	return nil
}

// awaitExit waits up to exitsWithin for a process that has released the lock, because the kernel frees
// its memory and its other files only when it exits. It does not wait longer: in a container without an
// init, the process stays a zombie, which has nothing to free.
func awaitExit(ctx context.Context, process *os.Process) {
	_ = poll(ctx, exitsWithin, func() (bool, error) {
		return errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone), nil
	})
}

// awaitFree waits until no process holds the lock of dir.
func awaitFree(ctx context.Context, dir string, limit time.Duration) error {
	return poll(ctx, limit, func() (bool, error) {
		pid, err := holder(dir)
		return pid == 0, err
	})
}

// poll calls done until it returns true or an error. It returns the error of ctx when ctx ends, and
// errTooSlow after limit.
func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTooSlow)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
