package kind

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// subnetsTried is how many ranges of addresses kind tries for its network.
const subnetsTried = 5

// remakeNetwork recreates the network that all clusters of kind share, as kind does, which has
// no command for it. If the engine has no IPv6, the network has none.
func remakeNetwork(ctx context.Context, name string, _ []docker.Container) error {
	options := append([]string{"--opt=com.docker.network.bridge.enable_ip_masquerade=true"}, docker.MTU(ctx)...)
	for attempt := range int32(subnetsTried) {
		err := docker.CreateNetwork(ctx, name, slices.Concat(options, []string{"--ipv6", "--subnet=" + subnet(name, attempt).String()})...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !docker.IsOverlap(err) {
			break
		}
	}
	return docker.CreateNetwork(ctx, name, options...)
}

// subnet returns the range of local IPv6 addresses that kind derives from the name of a
// network.
func subnet(name string, attempt int32) netip.Prefix {
	hash := sha1.New()
	_, _ = hash.Write([]byte(name))
	_ = binary.Write(hash, binary.LittleEndian, attempt)
	address := [16]byte{0: 0xfc}
	copy(address[2:8], hash.Sum(nil)[2:8])
	return netip.PrefixFrom(netip.AddrFrom16(address), 64)
}
