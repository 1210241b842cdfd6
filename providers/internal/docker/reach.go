package docker

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// CheckReachable returns ErrUnavailable where lab shares the kernel with the Docker Engine but
// not its network, as in a container that was given the host's socket: ports that the engine
// publishes on 127.0.0.1 are not those of lab's own 127.0.0.1. If that is unknown, it
// returns nil.
func CheckReachable(ctx context.Context) error {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil // not Linux: the engine is in a virtual machine, which forwards ports
	}
	out, err := ask(ctx, "info", "--format", "{{.KernelVersion}} {{.SecurityOptions}}")
	words := strings.Fields(string(out))
	if err != nil || len(words) == 0 || words[0] != strings.TrimSpace(string(kernel)) || strings.Contains(string(out), "rootless") {
		return nil
	}
	out, err = ask(ctx, "network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{or .Gateway .Subnet}} {{end}}")
	gateways := gatewaysOf(string(out))
	if err != nil || len(gateways) == 0 {
		return nil
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	own := func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && slices.Contains(gateways, n.IP.String())
	}
	if slices.ContainsFunc(addresses, own) {
		return nil
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "cannot reach the ports that Docker publishes: lab runs in another network than the Docker Engine, for example in a container with the host's Docker socket"),
		"run lab on the host, or run its container in the host network: docker run --network host; or use a flavor without containers, see: lab flavors")
}

// gatewaysOf returns the addresses of the engine in a network, of which text has the gateways or the
// subnets: the engine leaves out a gateway that it chose itself, which is the first address.
func gatewaysOf(text string) []string {
	gateways := strings.Fields(text)
	for i, g := range gateways {
		if subnet, err := netip.ParsePrefix(g); err == nil {
			gateways[i] = subnet.Masked().Addr().Next().String()
		}
	}
	return gateways
}
