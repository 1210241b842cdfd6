//go:build unix

package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestForward: what reaches a command, and what becomes of it. A command that hears of a
// signal ends with the code 3; one that is killed, with 137.
func TestForward(t *testing.T) {
	t.Parallel()
	const listens, deaf = "trap 'exit 3' INT TERM USR1", "trap '' INT TERM"
	for what, tt := range map[string]struct {
		trap     string
		keyboard bool
		sent     os.Signal
		want     int
	}{
		"Ctrl-C in a pipeline":        {listens, false, syscall.SIGINT, 3},
		"told to end":                 {listens, false, syscall.SIGTERM, 3},
		"told something":              {listens, false, syscall.SIGUSR1, 3},
		"told at a terminal":          {listens, true, syscall.SIGTERM, 3},
		"Ctrl-C at a terminal":        {listens, true, syscall.SIGINT, 0}, // the terminal itself tells the command
		"deaf":                        {deaf, false, syscall.SIGTERM, 137},
		"deaf, at a terminal":         {deaf, true, syscall.SIGTERM, 137},
		"deaf, and a person is there": {deaf, true, syscall.SIGINT, 0}, // who may want just that, as in a shell
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command("sh", "-c", tt.trap+"; touch ready; until [ -e done ]; do sleep 0.02; done")
			cmd.Dir = dir
			s := supervisor{grace: 100 * time.Millisecond, keyboard: tt.keyboard}
			if tt.want == 3 {
				s.grace = 20 * time.Second // a shell hears of a signal when its sleep ends, which may take a busy machine a while
			}
			if !tt.keyboard {
				cmd.SysProcAttr = grouped()
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			exists(t, filepath.Join(dir, "ready"))
			signals, done := make(chan os.Signal, 1), make(chan error, 1)
			signals <- tt.sent
			go func() { done <- cmd.Wait() }()
			if tt.want == 0 {
				// Longer than the grace, which must not have begun.
				time.AfterFunc(400*time.Millisecond, func() { _ = os.WriteFile(filepath.Join(dir, "done"), nil, 0o600) })
			}
			err := s.forward(cmd.Process, signals, done)
			code := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				code = codeOf(exit)
			}
			if code != tt.want {
				t.Errorf("exit code %d (%v), want %d", code, err, tt.want)
			}
		})
	}
}

// exists waits for a file.
func exists(t *testing.T, path string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case <-limit:
			t.Fatalf("%s never came", path)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestSuperviseTooLate: a command whose lab was interrupted before does not begin.
func TestSuperviseTooLate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cmd := exec.Command("sh", "-c", "exit 3")
	if err := (supervisor{}).run(ctx, cmd); !errors.Is(err, context.Canceled) || cmd.Process != nil {
		t.Errorf("error %v, process %v", err, cmd.Process)
	}
}
