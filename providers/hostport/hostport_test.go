package hostport_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/providers/hostport"
)

// TestFree returns the wanted port if it is free, and another one if it is in use.
func TestFree(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := hostport.Port{Number: l.Addr().(*net.TCPAddr).Port}
	for what, p := range map[string]hostport.Port{"any": {}, "any for UDP": {Protocol: "udp"}, "one that is taken": taken} {
		if got, err := hostport.Free(t.Context(), p); err != nil || got == 0 || got == p.Number {
			t.Errorf("%s: %d, %v", what, got, err)
		}
	}
	other := taken
	other.Protocol = "udp"
	if got, err := hostport.Free(t.Context(), other); err != nil || got != other.Number {
		t.Errorf("taken for TCP only: %d, %v; want %d", got, err, other.Number)
	}
	l.Close()
	if got, err := hostport.Free(t.Context(), taken); err != nil || got != taken.Number {
		t.Errorf("free again: %d, %v; want %d", got, err, taken.Number)
	}
	if _, err := hostport.Free(t.Context(), hostport.Port{Address: "203.0.113.1"}); err == nil {
		t.Error("a port of another machine's address")
	}
}

// TestHolder reads a machine's tables: one socket listens at a port, and others, which
// are connected, only have it.
func TestHolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	const line = "   %d: 0100007F:%04X %s 0A 00000000:00000000 00:00000000 00000000     0        0 %d 1 0\n"
	table := fmt.Sprintf(line, 0, 80, "0100007F:1F90", 1) + fmt.Sprintf(line, 1, 80, "00000000:0000", 2)
	fd := filepath.Join(root, "proc", "47", "fd")
	err := errors.Join(os.MkdirAll(fd, 0o700), os.MkdirAll(filepath.Join(root, "proc", "net"), 0o700),
		os.WriteFile(filepath.Join(root, "proc", "net", "tcp6"), []byte(table), 0o600),
		os.WriteFile(filepath.Join(root, "proc", "47", "comm"), []byte("nginx\n"), 0o600),
		os.Symlink("socket:[2]", filepath.Join(fd, "3")))
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[hostport.Port]string{{Number: 80}: "nginx 47", {Number: 8080}: " 0", {Number: 80, Protocol: "udp"}: " 0"} {
		if name, pid := hostport.Holder(root, p); fmt.Sprint(name, " ", pid) != want {
			t.Errorf("%v: %q %d, want %q", p, name, pid, want)
		}
	}
}
