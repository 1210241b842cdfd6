//go:build !linux

package cli

import "os/exec"

// tie does nothing: only Linux can kill a process when its parent dies.
func tie(*exec.Cmd) {}
