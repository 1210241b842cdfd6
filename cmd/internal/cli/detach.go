package cli

import (
	"os"
	"os/exec"
)

// detach starts this very program with args, in a session of its own: it outlives the
// command, its terminal and the files that it was given. It stays in this directory,
// because paths in its environment may be relative.
func detach(args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, args...)
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
