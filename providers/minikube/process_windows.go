package minikube

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// own has all that a program started ended with it.
func own(cmd *exec.Cmd, _ *os.File) {
	cmd.Cancel = func() error {
		return exec.Command("taskkill", "/t", "/f", "/pid", strconv.Itoa(cmd.Process.Pid)).Run()
	}
}

// shareLocks always fails: there only an administrator may make links.
func shareLocks(string) error { return errors.ErrUnsupported }

func note(*os.File, int) {}

// lock always succeeds: here a lock cannot be passed on to another program.
func lock(*os.File) (bool, error) { return true, nil }

func endGroup(int, time.Duration) {}

func endOther(string, string, time.Duration) error { return nil }
