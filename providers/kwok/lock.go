package kwok

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// killedWithin bounds how long a killed process may take to be gone. Only one
// that hangs in the kernel takes longer.
const killedWithin = 10 * time.Second

var (
	// errUnseen is an engine of another container or machine.
	errUnseen = errors.New("its engine runs where lab cannot see it: in another container, or on another machine")

	errTooSlow = errors.New("it takes too long")
)

// end makes whatever engine is at work in dir end, and returns once it has: asked
// to first, where grace is not 0.
func end(ctx context.Context, dir string, grace time.Duration) error {
	if grace > 0 {
		err := signalHolder(dir, syscall.SIGTERM)
		if err == nil {
			err = awaitFree(ctx, dir, grace)
		}
		if !errors.Is(err, errTooSlow) {
			return err
		}
	}
	if err := signalHolder(dir, syscall.SIGKILL); err != nil {
		return err
	}
	if err := awaitFree(ctx, dir, killedWithin); err != nil {
		return fmt.Errorf("its engine was killed and has not ended: %w", err)
	}
	return nil
}

// signalHolder signals the process that holds the lock of dir, if any does.
func signalHolder(dir string, signal os.Signal) error {
	pid, err := holder(dir)
	if err != nil || pid == 0 {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("its engine, process %d: %w", pid, err)
	}
	defer func() { _ = process.Release() }()
	// A process id may have passed on to a stranger since; on Linux the handle
	// that we have by now cannot. So ask again who holds the lock.
	if again, err := holder(dir); err != nil || again != pid {
		return err
	}
	if err := process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("its engine, process %d: %w", pid, err)
	}
	return nil
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
