package minikube

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// own has all children of a program end with it.
func own(cmd *exec.Cmd, _ *os.File) {
	cmd.Cancel = func() error {
		return exec.Command("taskkill", "/t", "/f", "/pid", strconv.Itoa(cmd.Process.Pid)).Run()
	}
}

// shareLocks always fails: on Windows only administrators may create links.
func shareLocks(string) error { return errors.ErrUnsupported }

func note(*os.File, int) {}

// lock always succeeds: on Windows a program cannot inherit a lock.
func lock(*os.File) (bool, error) { return true, nil }

func endGroup(int, time.Duration) {}

func endOther(string, string, time.Duration) error { return nil }
