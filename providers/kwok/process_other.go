//go:build !linux && !darwin

package kwok

import "syscall"

// supported is false: without fcntl locks, a running engine cannot be recognized.
const supported = false

func detached() *syscall.SysProcAttr { return nil }

func holder(string) (pid int, err error) { return 0, nil }
