//go:build unix && !linux

package minikube

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// startOf returns when a process started, as ps prints it, or "" if it does not exist.
func startOf(pid int) string { return ask(pid, "lstart=") }

// holders returns the process that got the lock, if it still lives: these systems do not show
// which other processes have a file open. A process that started at another time has only the
// same ID.
func holders(lock *os.File, _ string) []holder {
	pid, start := noted(lock)
	if pid < 2 || start == "" || startOf(pid) != start {
		return nil
	}
	return []holder{{pid, ask(pid, "comm="), true}}
}

// ask returns a field that ps prints of a process.
func ask(pid int, field string) string {
	out, _ := exec.Command("ps", "-o", field, "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(out))
}
