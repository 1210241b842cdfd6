package cli

import (
	"os"
	"os/exec"
)

// detach starts this program with args in a new session. The process outlives the command
// and its terminal, and inherits no files. It keeps the working directory, because paths in
// its environment may be relative.
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
