//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// detached puts a process into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// inherited returns the file descriptors beside the standard streams that this process was
// started with, and keeps them from the processes that lab starts for itself: one that stays
// in the background would keep a caller's pipe or locked file open.
func inherited() []int {
	var files []int
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			fd, err := strconv.Atoi(e.Name())
			if err != nil || fd <= 2 {
				continue
			}
			// Go opens its own files with the flag set, so one without it came from the parent.
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
				files = append(files, fd)
				syscall.CloseOnExec(fd)
			}
		}
		if err == nil {
			break
		}
	}
	return files
}

// startWith starts a command that inherits files, under their own numbers: bash names one in
// the argument that <(...) becomes, and make names two in MAKEFLAGS.
func startWith(files []int, cmd *exec.Cmd) error {
	for _, fd := range files {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
		defer syscall.CloseOnExec(fd)
	}
	return cmd.Start()
}

// grouped gives a process a group of its own, so that signals reach what it started, too.
func grouped() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// forwarded returns the signals that a command under `lab run` gets in place of lab. It leaves
// out those that lab was started to ignore, as under nohup: a signal that is listened to is no
// longer ignored.
func forwarded() []os.Signal {
	all := []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	}
	return slices.DeleteFunc(all, signal.Ignored)
}

// fromKeyboard tells whether a terminal sends the signal, to all processes before it.
func fromKeyboard(s os.Signal) bool { return s == syscall.SIGINT || s == syscall.SIGQUIT }

// ends tells whether the signal asks a program to end.
func ends(s os.Signal) bool { return s != syscall.SIGUSR1 && s != syscall.SIGUSR2 }

// send sends a signal to a process, or where that has one to its group.
func send(p *os.Process, s os.Signal, group bool) error {
	number, ok := s.(syscall.Signal)
	if !group || !ok {
		return p.Signal(s)
	}
	return syscall.Kill(-p.Pid, number)
}

// codeOf returns the exit code as shells have it: 128 and the signal that ended the
// process.
func codeOf(exit *exec.ExitError) int {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// cannotExecute tells whether starting failed for what the file is.
func cannotExecute(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EISDIR)
}
