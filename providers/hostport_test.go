package providers_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// TestTakenPort: a port that somebody has is found before anything is made, and named
// with its holder.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	set, _ := setup(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for protocol, host := range map[string]int{"": l.Addr().(*net.TCPAddr).Port, "udp": u.LocalAddr().(*net.UDPAddr).Port} {
		spec := providers.Spec{Name: "lab", Ports: []providers.Port{{Host: host, Container: 80, Protocol: protocol}}}
		says := fmt.Sprintf("port %d of this machine is taken", host)
		if runtime.GOOS == "linux" {
			says += fmt.Sprintf(" by providers.test (process %d)", os.Getpid())
		}
		if _, err = set.Create(t.Context(), "full", spec, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", protocol, err, says)
		}
		if hint := providers.HintOf(err); !strings.Contains(hint, ":80") || strings.Contains(hint, fmt.Sprintf("%d:", host)) {
			t.Errorf("%q: the hint is %q", protocol, hint)
		}
		if all, err := set.List(t.Context()); len(all) > 0 || err != nil {
			t.Errorf("%q: %v, %v", protocol, all, err)
		}
	}
	l.Close()
	spec := providers.Spec{Name: "lab", Ports: []providers.Port{{Host: l.Addr().(*net.TCPAddr).Port, Container: 80}}}
	if _, err := set.Create(t.Context(), "full", spec, nil); err != nil {
		t.Errorf("once it is free: %v", err)
	}
}

// TestFreePort: what is wanted where it can be had, and else another.
func TestFreePort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := providers.Port{Host: l.Addr().(*net.TCPAddr).Port}
	for what, p := range map[string]providers.Port{"any": {}, "any for UDP": {Protocol: "udp"}, "one that is taken": taken} {
		if got, err := providers.FreePort(t.Context(), p); err != nil || got == 0 || got == p.Host {
			t.Errorf("%s: %d, %v", what, got, err)
		}
	}
	other := taken
	other.Protocol = "udp"
	if got, err := providers.FreePort(t.Context(), other); err != nil || got != other.Host {
		t.Errorf("taken for TCP only: %d, %v; want %d", got, err, other.Host)
	}
	l.Close()
	if got, err := providers.FreePort(t.Context(), taken); err != nil || got != taken.Host {
		t.Errorf("free again: %d, %v; want %d", got, err, taken.Host)
	}
	if _, err := providers.FreePort(t.Context(), providers.Port{Address: "203.0.113.1"}); err == nil {
		t.Error("a port of another machine's address")
	}
}

// TestHolderOf reads a machine's tables: one socket listens at a port, and others, which
// are connected, only have it.
func TestHolderOf(t *testing.T) {
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
	for p, want := range map[providers.Port]string{{Host: 80}: "nginx 47", {Host: 8080}: " 0", {Host: 80, Protocol: "udp"}: " 0"} {
		if name, pid := providers.HolderOf(root, p); fmt.Sprint(name, " ", pid) != want {
			t.Errorf("%v: %q %d, want %q", p, name, pid, want)
		}
	}
}
