//go:build unix

package minikube

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killedWithin bounds how long programs may take to end when they are killed.
const killedWithin = 10 * time.Second

// own gives a program a process group of its own, and the lock to hold for as long as it
// or anything that it starts lives. A Ctrl-C that ends lab does not reach it: lab does.
func own(cmd *exec.Cmd, lock *os.File) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.ExtraFiles = []*os.File{lock}
}

// shareLocks puts minikube's directory of locks, which is among its temporary files, into
// dir, too.
func shareLocks(dir string) error {
	locks := "minikube-locks-" + strconv.Itoa(os.Getuid())
	shared := filepath.Join(os.TempDir(), locks)
	if err := os.MkdirAll(shared, 0o755); err != nil {
		return err
	}
	return os.Symlink(shared, filepath.Join(dir, locks))
}

// note writes down which group of processes holds the lock.
func note(lock *os.File, pid int) { _, _ = lock.WriteAt([]byte(strconv.Itoa(pid)+"\n"), 0) }

// lock takes the lock if it is free, and tells whether it was.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// endGroup returns when no process of a group is left whose leader has ended. They have
// some time to finish what they are at, and are killed then.
func endGroup(pid int, grace time.Duration) {
	gone := func() bool { return errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }
	if !within(grace, gone) {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		within(killedWithin, gone)
	}
}

// endOther ends a minikube that outlived the lab which started it, if there is one: who
// holds the lock at path is at work still. It tells whether the lock is free now.
func endOther(path string, grace time.Duration) bool {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer file.Close()
	free := func() bool { ok, err := lock(file); return ok || err != nil }
	if free() {
		return true
	}
	text, _ := io.ReadAll(file)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 1 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		if within(grace, free) {
			return true
		}
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	return within(killedWithin, free)
}

// within tells whether done becomes true in time.
func within(limit time.Duration, done func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); !done(); <-tick.C {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
