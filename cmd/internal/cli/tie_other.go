//go:build !linux

package cli

import "os/exec"

// tie does nothing: only Linux kills a command whose parent was killed.
func tie(*exec.Cmd) {}
