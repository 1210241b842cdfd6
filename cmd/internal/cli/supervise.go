package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
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
	if err := cmd.Start(); err != nil {
		return unusable(cmd.Args[0], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	err := s.forward(cmd.Process, signals, done)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exited(codeOf(exit))
	}
	return err
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
