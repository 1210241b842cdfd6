package minikube

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// startOf returns "": on Linux a process is recognized by the lock that it has open.
func startOf(int) string { return "" }

// holders returns the processes that have a lock open, except this one. Those of other users
// are invisible.
func holders(lock *os.File, mark string) []holder {
	locked, err := lock.Stat()
	if err != nil {
		return nil
	}
	var found []holder
	processes, _ := os.ReadDir("/proc")
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || pid == os.Getpid() || !hasOpen(pid, locked) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join("/proc", p.Name(), "comm"))
		environment, _ := os.ReadFile(filepath.Join("/proc", p.Name(), "environ"))
		own := slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(v []byte) bool { return string(v) == mark })
		found = append(found, holder{pid, strings.TrimSpace(string(name)), own})
	}
	return found
}

// hasOpen reports whether a process has a file open.
func hasOpen(pid int, file os.FileInfo) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	fds, _ := os.ReadDir(dir)
	return slices.ContainsFunc(fds, func(fd os.DirEntry) bool {
		info, err := os.Stat(filepath.Join(dir, fd.Name()))
		return err == nil && os.SameFile(info, file)
	})
}
