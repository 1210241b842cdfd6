package cli

import (
	"os/exec"
	"syscall"
)

// tie makes the kernel kill the command when lab dies, even if lab is killed. Children of the
// command are not killed.
func tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
