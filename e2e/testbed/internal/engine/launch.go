//go:build linux

package engine

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// launch starts a program that outlives this one, in a session of its own. It inherits nothing but output: a file
// that the caller's shell holds open, such as one locked with flock, would be held for as long as the program lives.
func launch(output *os.File, name string, args ...string) (*exec.Cmd, error) {
	if err := keepDescriptors(); err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, cmd.Start()
}

// keepDescriptors marks every file that this process was started with as one not to be handed on. Those that Go
// itself opens are marked from the start.
func keepDescriptors() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd) // the directory's own is closed by now, and that is no error
		}
	}
	return nil
}
