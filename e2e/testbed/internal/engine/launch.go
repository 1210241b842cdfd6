//go:build linux

package engine

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// launch starts a program in a new session that outlives this process. The program inherits only output: it would
// otherwise hold files that the caller's shell has open, such as a file locked with flock.
func launch(output *os.File, name string, args ...string) (*exec.Cmd, error) {
	if err := keepDescriptors(); err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, cmd.Start()
}

// keepDescriptors sets close-on-exec for all inherited files. Go sets it for the files that it opens.
func keepDescriptors() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd) // the descriptor of the directory is closed already
		}
	}
	return nil
}
