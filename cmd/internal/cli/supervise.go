package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"time"
)

// supervisor runs a command in lab's place: whoever wants lab to end wants the command
// to.
type supervisor struct {
	grace    time.Duration
	keyboard bool // a person sits at a terminal, whose signals reach the command by themselves
}

// run returns [exited] where the command failed, and ctx's error where it ended before the
// command began. Once it has begun, only signals count.
func (s supervisor) run(ctx context.Context, cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forwarded()...)
	defer signal.Stop(signals)
	// What came before would be forwarded by nobody.
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.keyboard {
		cmd.SysProcAttr = grouped()
	}
	tie(cmd)
	done, err := begin(cmd)
	if err != nil {
		return unusable(cmd.Args[0], err)
	}
	err = s.forward(cmd.Process, signals, done)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exited(codeOf(exit))
	}
	return err
}

// begin starts a command, and returns what will tell that it has ended. Linux ties a
// process to the thread that started it and not to the program, so that thread is not
// given back before.
func begin(cmd *exec.Cmd) (done <-chan error, err error) {
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	return ended, <-started
}

// forward passes signals on until the command is done.
func (s supervisor) forward(p *os.Process, signals <-chan os.Signal, done <-chan error) error {
	var kill <-chan time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-kill:
			_ = send(p, os.Kill, !s.keyboard) // fails where it has just ended
		case sent := <-signals:
			if s.keyboard && fromKeyboard(sent) {
				continue // it has it already, and may do with it what it likes, as a shell does
			}
			// What asks to end is for all; what asks for something else, for those who listen.
			_ = send(p, sent, !s.keyboard && ends(sent))
			if kill == nil && ends(sent) {
				kill = time.After(s.grace)
			}
		}
	}
}
