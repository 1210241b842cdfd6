package docker

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
)

// CacheLabel is the label of the containers and the networks of image caches. The containers
// answer at CachePort.
const (
	CacheLabel = "clusterlab.dev/cache"
	CachePort  = "5000"
)

// Connect connects a container to a network, at the last address of the network if the engine
// permits it: tools count the addresses of nodes from the first on, and the engine gives stopped
// nodes their former addresses again only if these are free. It returns nil if the container is
// connected.
func Connect(ctx context.Context, network, container string) error {
	args := []string{"network", "connect"}
	if at, ok := lastAddress(ctx, network); ok {
		if err := connect(ctx, append(args, "--ip="+at.String(), network, container)); err == nil {
			return nil
		}
	}
	return connect(ctx, append(args, network, container))
}

func connect(ctx context.Context, args []string) error {
	_, err := run(ctx, args...)
	if err != nil && strings.Contains(err.Error(), "already exists in network") {
		return nil
	}
	return err
}

// lastAddress returns the last IPv4 address of a network that is not its broadcast address.
func lastAddress(ctx context.Context, network string) (netip.Addr, bool) {
	out, err := ask(ctx, "network", "inspect", "--format", "{{json .IPAM.Config}}", network)
	var ranges []struct{ Subnet string }
	if err != nil || json.Unmarshal(out, &ranges) != nil {
		return netip.Addr{}, false
	}
	for _, r := range ranges {
		subnet, err := netip.ParsePrefix(r.Subnet)
		if err != nil || !subnet.Addr().Is4() || subnet.Bits() > 29 {
			continue
		}
		at := subnet.Masked().Addr().As4()
		for bit := subnet.Bits(); bit < 31; bit++ {
			at[bit/8] |= 0x80 >> (bit % 8)
		}
		return netip.AddrFrom4(at), true
	}
	return netip.Addr{}, false
}

// RemoveNetwork removes a network of a cluster. It first disconnects image caches, which several
// clusters share, if they are all that is left in it.
func RemoveNetwork(ctx context.Context, id string) error {
	err := RemoveAll(ctx, Network, id)
	if err == nil || !strings.Contains(err.Error(), "has active endpoints") {
		return err
	}
	caches, failed := Containers(ctx, CacheLabel)
	if failed != nil || len(caches) == 0 {
		return err
	}
	for _, c := range caches {
		if failed := Disconnect(ctx, id, c.ID); failed != nil {
			return failed
		}
	}
	return RemoveAll(ctx, Network, id)
}
