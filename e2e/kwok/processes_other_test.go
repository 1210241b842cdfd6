//go:build e2e && unix && !linux

package kwok

import (
	"os/exec"
	"strconv"
	"strings"
)

// processes returns the processes whose arguments contain a directory of the user, by ID.
func (p *user) processes() map[int]string {
	found := map[int]string{}
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		p.T.Errorf("ps: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		id, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pid, err := strconv.Atoi(id); err == nil && strings.Contains(command, p.root) {
			found[pid] = command
		}
	}
	return found
}
