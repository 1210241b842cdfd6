package docker_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestCheckReachable checks that an engine with the kernel of this machine, whose bridge is not
// among the machine's addresses, counts as in another network.
func TestCheckReachable(t *testing.T) {
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	kernel := strings.TrimSpace(string(data))
	addresses, err := net.InterfaceAddrs()
	if err != nil || len(addresses) == 0 {
		t.Fatal(addresses, err)
	}
	own := addresses[0].(*net.IPNet).IP.String()
	subnet := addresses[0].String() // of 127.0.0.1/8, the first address is 127.0.0.1
	for name, test := range map[string]struct {
		info, gateway string
		apart         bool
	}{
		"apart":             {kernel + " [name=seccomp]", "192.0.2.1", true},
		"here":              {kernel + " []", own, false},
		"here and dual":     {kernel + " []", "192.0.2.1 " + own, false},
		"here by subnet":    {kernel + " []", subnet, false},
		"apart by subnet":   {kernel + " []", "192.0.2.0/24", true},
		"rootless":          {kernel + " [name=rootless]", "192.0.2.1", false},
		"a virtual machine": {"1.2.3-linuxkit []", "192.0.2.1", false},
		"no bridge":         {kernel + " []", "", false},
		"mute":              {"", "192.0.2.1", false},
	} {
		dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: test.info + "\n"}, dockertest.Answer{Args: "network inspect bridge", Stdout: test.gateway + "\n"})
		if err := docker.CheckReachable(t.Context()); (err != nil) != test.apart {
			t.Errorf("%s: %v", name, err)
		}
	}
}
