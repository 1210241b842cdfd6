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

// supervisor runs a command and forwards the signals that lab receives to it.
type supervisor struct {
	grace    time.Duration
	keyboard bool  // lab runs on a terminal, which sends its signals to the command, too
	files    []int // descriptors that the command inherits, see inherited
}

// SameInterruption is the time after a signal in which further signals count as the same
// interruption. A wrapper and its process group often send one each, milliseconds apart.
const SameInterruption = 2 * time.Second

// run runs cmd until it ends. It returns [exited] if the command fails, and the error of ctx
// if ctx ends before the command starts. After that, only signals end the command.
func (s supervisor) run(ctx context.Context, cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forwarded()...)
	defer signal.Stop(signals)
	// A signal before Notify has ended ctx, and is not forwarded.
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

// begin starts a command, and returns a channel that receives the result of Wait. The thread
// that started the command stays locked until then, because Linux kills a process with
// Pdeathsig when that thread ends.
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

// forward forwards signals until the command ends, and kills it if it does not end in time.
func (s supervisor) forward(p *os.Process, signals <-chan os.Signal, done <-chan error) error {
	var kill <-chan time.Time
	last := map[os.Signal]time.Time{}
	for {
		select {
		case err := <-done:
			return err
		case <-kill:
			_ = send(p, os.Kill, !s.keyboard) // fails if it has just ended
		case sent := <-signals:
			if s.keyboard && fromKeyboard(sent) {
				continue // the terminal has sent it to the command, too
			}
			if ends(sent) && time.Since(last[sent]) < SameInterruption {
				continue
			}
			last[sent] = time.Now()
			// Signals that end a program go to its whole process group, others to it alone.
			_ = send(p, sent, !s.keyboard && ends(sent))
			if kill == nil && ends(sent) {
				kill = time.After(s.grace)
			}
		}
	}
}
