package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
)

const detachedProcess = 0x8 // DETACHED_PROCESS: without the console

// terminate kills a process: Windows cannot ask a process without a window to end.
func terminate(p *os.Process) error { return p.Kill() }

// browse opens url in the user's browser. An interrupt of lab does not end the browser.
func browse(ctx context.Context, url string) error {
	return exec.CommandContext(context.WithoutCancel(ctx), "rundll32", "url.dll,FileProtocolHandler", url).Run()
}

// detached starts a process without the console, so that Ctrl-C does not reach it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: detachedProcess | syscall.CREATE_NEW_PROCESS_GROUP}
}

// inherited returns nothing: on Windows a process inherits only handles that are passed explicitly.
func inherited() []int { return nil }

// startWith starts a command.
func startWith(_ []int, cmd *exec.Cmd) error { return cmd.Start() }

// grouped changes nothing: Ctrl-C reaches all processes of a console.
func grouped() *syscall.SysProcAttr { return nil }

// forwarded returns the signals that `lab run` forwards.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// fromKeyboard reports whether the console sends the signal to all its processes.
func fromKeyboard(s os.Signal) bool { return s == os.Interrupt }

// ends reports whether the signal asks a program to end. On Windows all do.
func ends(os.Signal) bool { return true }

// send kills a process for os.Kill. It does nothing for other signals, which the console
// sends.
func send(p *os.Process, s os.Signal, _ bool) error {
	if s == os.Kill {
		return p.Kill()
	}
	return nil
}

// codeOf returns the exit code.
func codeOf(exit *exec.ExitError) int { return exit.ExitCode() }

// cannotExecute reports whether the file cannot be executed: access is denied, or its format
// is wrong.
func cannotExecute(err error) bool {
	const badFormat = syscall.Errno(193) // ERROR_BAD_EXE_FORMAT
	return errors.Is(err, os.ErrPermission) || errors.Is(err, badFormat)
}
