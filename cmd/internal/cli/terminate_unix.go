//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// detached puts a process into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// keepFiles keeps from processes that are started from now on what this one was given
// beside its standard streams: a pipe that somebody reads to its end, or a file that is
// locked for as long as anybody has it open.
func keepFiles() {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			if fd, err := strconv.Atoi(f.Name()); err == nil && fd > 2 {
				syscall.CloseOnExec(fd) // does nothing where it is closed by now
			}
		}
	}
}

// grouped gives a process a group of its own, so that signals reach what it started, too.
func grouped() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// forwarded are the signals that a command under `lab run` gets in place of lab.
func forwarded() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	}
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
