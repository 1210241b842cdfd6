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
	keyboard bool  // a person sits at a terminal, whose signals reach the command by themselves
	files    []int // descriptors that the command inherits, see inherited
}

// SameInterruption is how soon after a signal that ends lab the next one counts as the same
// interruption: a wrapper and its process group often send one each, milliseconds apart.
const SameInterruption = 2 * time.Second

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
	done, err := s.begin(cmd)
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
func (s supervisor) begin(cmd *exec.Cmd) (done <-chan error, err error) {
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := startWith(s.files, cmd)
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
	last := map[os.Signal]time.Time{}
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
			if ends(sent) && time.Since(last[sent]) < SameInterruption {
				continue
			}
			last[sent] = time.Now()
			// What asks to end is for all; what asks for something else, for those who listen.
			_ = send(p, sent, !s.keyboard && ends(sent))
			if kill == nil && ends(sent) {
				kill = time.After(s.grace)
			}
		}
	}
}
