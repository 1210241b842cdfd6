//go:build unix && !linux

package minikube

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// startOf returns when a process started, as ps prints it, or "" where there is none.
func startOf(pid int) string { return ask(pid, "lstart=") }

// holders returns the process that was given a lock, if it still lives: nothing here tells
// who else has a file open. One that started at another moment has only the same ID.
func holders(lock *os.File, _ string) []holder {
	pid, start := noted(lock)
	if pid < 2 || start == "" || startOf(pid) != start {
		return nil
	}
	return []holder{{pid, ask(pid, "comm="), true}}
}

// ask returns what ps says of a process.
func ask(pid int, field string) string {
	out, _ := exec.Command("ps", "-o", field, "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(out))
}
