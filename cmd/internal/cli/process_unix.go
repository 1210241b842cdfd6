//go:build unix

package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminate sends SIGTERM to a process.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// browse opens url in the user's browser. An interrupt of lab does not end the browser.
func browse(ctx context.Context, url string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	return exec.CommandContext(context.WithoutCancel(ctx), program, url).Run()
}

// detached starts a process in a new session.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// inherited returns the file descriptors that this process inherited, without the standard
// streams. It sets close-on-exec for them: a background process of lab would keep a pipe or
// a lock of the caller open.
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

// startWith starts a command that inherits files under the same numbers. bash uses such a
// number in the argument for <(...), and make in MAKEFLAGS.
func startWith(files []int, cmd *exec.Cmd) error {
	for _, fd := range files {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
		defer syscall.CloseOnExec(fd)
	}
	return cmd.Start()
}

// grouped starts a process in a new process group, so that signals reach its children, too.
func grouped() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// forwarded returns the signals that `lab run` forwards. It omits those that were ignored
// when lab started, as under nohup, because Notify would end that.
func forwarded() []os.Signal {
	all := []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	}
	return slices.DeleteFunc(all, signal.Ignored)
}

// fromKeyboard reports whether a terminal sends the signal to its foreground processes.
func fromKeyboard(s os.Signal) bool { return s == syscall.SIGINT || s == syscall.SIGQUIT }

// ends reports whether the signal asks a program to end.
func ends(s os.Signal) bool { return s != syscall.SIGUSR1 && s != syscall.SIGUSR2 }

// send sends a signal to a process or, if group is set, to its process group.
func send(p *os.Process, s os.Signal, group bool) error {
	number, ok := s.(syscall.Signal)
	if !group || !ok {
		return p.Signal(s)
	}
	return syscall.Kill(-p.Pid, number)
}

// codeOf returns the exit code as in shells: 128 plus the number of the signal that ended
// the process.
func codeOf(exit *exec.ExitError) int {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// cannotExecute reports whether the file cannot be executed: its mode, its format, or a
// directory.
func cannotExecute(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EISDIR)
}
