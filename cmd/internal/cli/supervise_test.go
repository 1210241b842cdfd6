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

// TestSignalsAreForwarded checks which signals reach a command. A command that receives one
// exits with 3, and a command that is killed exits with 137.
func TestSignalsAreForwarded(t *testing.T) {
	t.Parallel()
	const handles, ignores = "trap 'exit 3' INT TERM USR1", "trap '' INT TERM"
	for what, tt := range map[string]struct {
		trap     string
		keyboard bool
		sent     os.Signal
		want     int
	}{
		"SIGINT":                           {handles, false, syscall.SIGINT, 3},
		"SIGTERM":                          {handles, false, syscall.SIGTERM, 3},
		"SIGUSR1":                          {handles, false, syscall.SIGUSR1, 3},
		"SIGTERM on a terminal":            {handles, true, syscall.SIGTERM, 3},
		"SIGINT on a terminal":             {handles, true, syscall.SIGINT, 0}, // the terminal sends it to the command
		"SIGTERM is ignored":               {ignores, false, syscall.SIGTERM, 137},
		"SIGTERM is ignored on a terminal": {ignores, true, syscall.SIGTERM, 137},
		"SIGINT is ignored on a terminal":  {ignores, true, syscall.SIGINT, 0}, // as in a shell
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command("sh", "-c", tt.trap+"; touch ready; until [ -e done ]; do sleep 0.02; done")
			cmd.Dir = dir
			s := supervisor{grace: 100 * time.Millisecond, keyboard: tt.keyboard}
			if tt.want == 3 {
				s.grace = 20 * time.Second // a shell handles a signal after its sleep, which is late on a busy machine
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
				// Longer than the grace period, which must not start.
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
			t.Fatalf("%s does not exist", path)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestCommandDoesNotStartAfterInterrupt checks that a command does not start once lab is
// interrupted.
func TestCommandDoesNotStartAfterInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cmd := exec.Command("sh", "-c", "exit 3")
	if err := (supervisor{}).run(ctx, cmd); !errors.Is(err, context.Canceled) || cmd.Process != nil {
		t.Errorf("error %v, process %v", err, cmd.Process)
	}
}
