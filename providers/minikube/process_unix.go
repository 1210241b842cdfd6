//go:build unix

package minikube

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
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

// note writes down which process was given the lock, and when it started: its ID alone may
// pass on to another process.
func note(lock *os.File, pid int) {
	_, _ = lock.WriteAt([]byte(strconv.Itoa(pid)+" "+startOf(pid)+"\n"), 0)
}

// noted returns what note wrote down; 0 where there is nothing.
func noted(lock *os.File) (pid int, start string) {
	text, _ := io.ReadAll(io.NewSectionReader(lock, 0, longestLine))
	line, _, _ := strings.Cut(string(text), "\n")
	id, start, _ := strings.Cut(line, " ")
	pid, _ = strconv.Atoi(id)
	return pid, start
}

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

// holder is a process that keeps a lock from being free.
type holder struct {
	pid  int
	name string // of its program
	own  bool   // lab started it
}

// endOther ends a minikube that outlived the lab which started it, if there is one: who
// holds the lock at path is at work still. Only processes that hold the lock and that lab
// started are ended: mark is the variable of the environment that those have. It returns
// ErrUnavailable where the lock does not get free, and says who holds it.
func endOther(path, mark string, grace time.Duration) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	free := func() bool { ok, err := lock(file); return ok || err != nil }
	if free() {
		return nil
	}
	first, _ := noted(file)
	ended := endHolders(file, mark, func(h holder) bool { return h.pid == first })
	if ended {
		if within(grace, free) {
			return nil
		}
		_ = syscall.Kill(-first, syscall.SIGKILL) // its group, whose ID is taken as long as one of it lives
	}
	ended = endHolders(file, mark, func(holder) bool { return true }) || ended
	if ended && within(killedWithin, free) || free() {
		return nil
	}
	return heldBy(path, holders(file, mark))
}

// endHolders kills those of the holders of a lock that lab started, and tells whether
// there was one.
func endHolders(lock *os.File, mark string, which func(holder) bool) bool {
	any := false
	for _, h := range holders(lock, mark) {
		if !h.own || !which(h) {
			continue
		}
		process, err := os.FindProcess(h.pid)
		if err != nil {
			continue
		}
		// The ID may have passed on since; on Linux the handle that we have by now cannot.
		if slices.Contains(holders(lock, mark), h) {
			any = process.Kill() == nil || any
		}
		_ = process.Release()
	}
	return any
}

// heldBy is the error of a lock that others hold.
func heldBy(path string, others []holder) error {
	if len(others) == 0 {
		return fault.WithHint(
			fault.Errorf(fault.ErrUnavailable, "another process holds %s, and lab cannot determine which", path),
			"find the process: lsof %s; end it, then retry", path)
	}
	names, ids := make([]string, len(others)), make([]string, len(others))
	for i, h := range others {
		names[i], ids[i] = fmt.Sprintf("process %d (%s)", h.pid, h.name), strconv.Itoa(h.pid)
	}
	holds := "holds"
	if len(others) > 1 {
		holds = "hold"
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "%s %s %s, the lock of this cluster's minikube", strings.Join(names, " and "), holds, path),
		"end the processes that lab did not start: kill %s; then retry", strings.Join(ids, " "))
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
