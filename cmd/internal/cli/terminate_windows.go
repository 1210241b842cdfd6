package cli

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

const detachedProcess = 0x8 // DETACHED_PROCESS: without the console

// terminate ends a process: Windows has no way to ask one that has no window.
func terminate(p *os.Process) error { return p.Kill() }

// detached keeps a process from the console, and from Ctrl-C with it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: detachedProcess | syscall.CREATE_NEW_PROCESS_GROUP}
}

// inherited returns nothing: on Windows a process inherits only what it is given by name.
func inherited() []int { return nil }

// startWith starts a command.
func startWith(_ []int, cmd *exec.Cmd) error { return cmd.Start() }

// grouped leaves a process where it is: Ctrl-C reaches all before a console.
func grouped() *syscall.SysProcAttr { return nil }

// forwarded are the signals that a command under `lab run` gets in place of lab.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// fromKeyboard tells whether the console sends the signal, to all processes before it.
func fromKeyboard(s os.Signal) bool { return s == os.Interrupt }

// ends tells whether the signal asks a program to end, as all do here.
func ends(os.Signal) bool { return true }

// send ends a process at once or, for any signal but that, does nothing: the console has
// told it.
func send(p *os.Process, s os.Signal, _ bool) error {
	if s == os.Kill {
		return p.Kill()
	}
	return nil
}

// codeOf returns the exit code.
func codeOf(exit *exec.ExitError) int { return exit.ExitCode() }

// cannotExecute tells whether starting failed for what the file is.
func cannotExecute(err error) bool {
	const badFormat = syscall.Errno(193) // ERROR_BAD_EXE_FORMAT
	return errors.Is(err, os.ErrPermission) || errors.Is(err, badFormat)
}
