package minikube

import (
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

func note(*os.File, int) {}

// lock always succeeds: here a lock cannot be passed on to another program.
func lock(*os.File) (bool, error) { return true, nil }

func endGroup(int, time.Duration) {}

func endOther(string, time.Duration) bool { return true }
