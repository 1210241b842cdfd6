//go:build e2e

package kwok

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoopbackOnly checks in the kernel's tables at which addresses the processes of a cluster listen.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	port := fmt.Sprintf("%04X", p.status(name).APIPort)
	listening := p.listening()
	if !strings.Contains(strings.Join(listening, " "), "0100007F:"+port) {
		t.Errorf("the API server is not among %v", listening)
	}
	for _, address := range listening {
		if !strings.HasPrefix(address, "0100007F:") { // 127.0.0.1
			t.Errorf("a process listens at %s", address)
		}
	}
	p.Must("down", name)
}

// listening returns the addresses at which the user's processes listen, in the kernel's notation.
func (p *user) listening() (addresses []string) {
	p.T.Helper()
	mine := map[string]bool{}
	for pid := range p.processes() {
		descriptors, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, d := range descriptors {
			target, _ := os.Readlink(d)
			if inode, ok := strings.CutPrefix(target, "socket:["); ok {
				mine[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		for line := range strings.Lines(read(p.T, "/proc/net/"+table)) {
			const local, state, inode, listen = 1, 3, 9, "0A"
			field := strings.Fields(line)
			if mine[field[inode]] && (field[state] == listen || strings.HasPrefix(table, "udp")) {
				addresses = append(addresses, field[local])
			}
		}
	}
	return addresses
}
