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

// killedWithin bounds how long killed programs may take to end.
const killedWithin = 10 * time.Second

// own gives a program its own process group, and the lock to hold as long as it or its children
// live. Ctrl-C ends lab and not the program: lab ends it.
func own(cmd *exec.Cmd, lock *os.File) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.ExtraFiles = []*os.File{lock}
}

// shareLocks links minikube's directory of locks, which is among its temporary files, into dir.
func shareLocks(dir string) error {
	locks := "minikube-locks-" + strconv.Itoa(os.Getuid())
	shared := filepath.Join(os.TempDir(), locks)
	if err := os.MkdirAll(shared, 0o755); err != nil {
		return err
	}
	return os.Symlink(shared, filepath.Join(dir, locks))
}

// note records which process got the lock, and when it started: its ID may be reused.
func note(lock *os.File, pid int) {
	_, _ = lock.WriteAt([]byte(strconv.Itoa(pid)+" "+startOf(pid)+"\n"), 0)
}

// noted returns what note recorded, or 0.
func noted(lock *os.File) (pid int, start string) {
	text, _ := io.ReadAll(io.NewSectionReader(lock, 0, longestLine))
	line, _, _ := strings.Cut(string(text), "\n")
	id, start, _ := strings.Cut(line, " ")
	pid, _ = strconv.Atoi(id)
	return pid, start
}

// lock takes the lock if it is free, and reports whether it was.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// endGroup returns when no process of a group is left whose leader has ended. It kills them
// after the grace period.
func endGroup(pid int, grace time.Duration) {
	gone := func() bool { return errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }
	if !within(grace, gone) {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		within(killedWithin, gone)
	}
}

// holder is a process that holds a lock.
type holder struct {
	pid  int
	name string // of its program
	own  bool   // lab started it
}

// endOther ends a minikube that outlived the lab which started it, if one holds the lock at
// path. It ends only processes that hold the lock and have mark, a variable, in their
// environment: lab started those. It returns ErrUnavailable, with the remaining holders, if the
// lock stays taken.
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
		_ = syscall.Kill(-first, syscall.SIGKILL) // its group, whose ID is not reused while a member lives
	}
	ended = endHolders(file, mark, func(holder) bool { return true }) || ended
	if ended && within(killedWithin, free) || free() {
		return nil
	}
	return heldBy(path, holders(file, mark))
}

// endHolders kills the holders of a lock that lab started, and reports whether it killed one.
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
		// The ID may have been reused since; on Linux the handle refers to the same process.
		if slices.Contains(holders(lock, mark), h) {
			any = process.Kill() == nil || any
		}
		_ = process.Release()
	}
	return any
}

// heldBy returns the error of a lock that other processes hold.
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

// within reports whether done becomes true before the limit.
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
