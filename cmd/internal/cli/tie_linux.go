package cli

import (
	"os/exec"
	"syscall"
)

// tie has the kernel kill a command when lab dies, even if nothing of lab can do it any
// more. What the command started is on its own then.
func tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
