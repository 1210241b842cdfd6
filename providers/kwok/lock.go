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
	// killedWithin bounds how long a killed process may take to let go of the
	// lock. Only one that hangs in the kernel takes longer.
	killedWithin = 10 * time.Second

	lingers = 300 * time.Millisecond // how long a process that ends may take from there
)

var errTooSlow = errors.New("it takes too long")

// end makes whatever engine is at work in dir end, and returns once it has: asked
// to first, where grace is not 0.
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
		return fmt.Errorf("its engine was killed and has not ended: %w", err)
	}
	awaitExit(ctx, process)
	return nil
}

// engineOf returns the process that holds the lock of dir, or nil. It is the
// caller's to release.
func engineOf(dir string) (*os.Process, error) {
	pid, err := holder(dir)
	if err != nil || pid == 0 {
		return nil, err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, fmt.Errorf("its engine, process %d: %w", pid, err)
	}
	// A process id may have passed on to a stranger since; on Linux the handle
	// that we have by now cannot. So ask again who holds the lock.
	if again, err := holder(dir); err != nil || again != pid {
		return nil, errors.Join(err, process.Release())
	}
	return process, nil
}

func send(process *os.Process, signal os.Signal) error {
	if err := process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("its engine, process %d: %w", process.Pid, err)
	}
	return nil
}

// awaitExit waits a moment for a process that has let go of the lock: the kernel
// frees its memory and what else it had open only then. A zombie, which nobody
// waits for where lab runs in a container without an init, has nothing to free.
func awaitExit(ctx context.Context, process *os.Process) {
	_ = poll(ctx, lingers, func() (bool, error) {
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

// poll calls done until it returns true or an error, ctx ends, or limit has
// passed, which is errTooSlow.
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
