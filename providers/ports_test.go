package providers_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestCreateRefusesPortInUse: the error names the port and the program that uses it, and nothing
// is created.
func TestCreateRefusesPortInUse(t *testing.T) {
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
		says := fmt.Sprintf("host port %d is in use", host)
		if runtime.GOOS == "linux" {
			says += fmt.Sprintf(" by providers.test (process %d)", os.Getpid())
		}
		if _, err = set.Create(t.Context(), "full", spec, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", protocol, err, says)
		}
		if hint := fault.HintOf(err); !strings.Contains(hint, ":80") || strings.Contains(hint, fmt.Sprintf("%d:", host)) {
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
