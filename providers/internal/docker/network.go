package docker

import (
	"context"
	"slices"
	"strings"
)

// CreateNetwork creates a bridge network with options of `docker network create`. It returns
// nil if the network exists by now.
func CreateNetwork(ctx context.Context, name string, options ...string) error {
	args := slices.Concat([]string{"network", "create", "--driver=bridge"}, options, []string{name})
	_, err := run(ctx, args...)
	if err != nil && strings.Contains(err.Error(), "already exists") {
		return nil
	}
	return err
}

// IsOverlap reports whether a network was not created because another uses its addresses.
func IsOverlap(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "Pool overlaps") || strings.Contains(err.Error(), "networks have overlapping"))
}

// MTU returns the option that gives a network the MTU of the engine's default network, or nil.
func MTU(ctx context.Context) []string {
	const option = "com.docker.network.driver.mtu"
	out, err := ask(ctx, "network", "inspect", "bridge", "--format", `{{index .Options "`+option+`"}}`)
	mtu := strings.TrimSpace(string(out))
	if err != nil || mtu == "" || strings.Trim(mtu, "0123456789") != "" {
		return nil // the engine's default
	}
	return []string{"--opt=" + option + "=" + mtu}
}

// Reconnect connects a stopped container to the network that has the name now, at the
// container's fixed address if it has one. The engine looks up the former network of the
// container by ID, so another network of the same name does not replace it.
func Reconnect(ctx context.Context, network Object, c Container) error {
	endpoint, was := c.NetworkSettings.Networks[network.Name]
	if was {
		if _, err := run(ctx, "network", "disconnect", "--force", network.Name, c.ID); err != nil {
			return err
		}
	}
	args := []string{"network", "connect"}
	if at := endpoint.IPAMConfig.IPv4Address; at != "" {
		args = append(args, "--ip="+at)
	}
	_, err := run(ctx, append(args, network.ID, c.ID)...)
	return err
}
