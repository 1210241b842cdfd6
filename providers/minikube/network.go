package minikube

import (
	"context"
	"net/netip"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// subnetBits is the length of the prefix of the networks that minikube creates by default.
const subnetBits = 24

// remakeNetwork recreates the network of a cluster with its former addresses, as minikube does,
// which has no command for it. The nodes have fixed addresses in it. It returns ErrUnavailable
// if another network uses the addresses.
func (e engine) remakeNetwork(ctx context.Context, name string, nodes []docker.Container) error {
	options := append([]string{"-o", "--ip-masq", "-o", "--icc"}, docker.MTU(ctx)...)
	options = append(options, "--label=created_by.minikube.sigs.k8s.io=true", "--label="+label+"="+name)
	if subnet, ok := e.subnet(name, nodes); ok {
		options = append(options, "--subnet="+subnet.String(), "--gateway="+subnet.Addr().Next().String())
	}
	err := docker.CreateNetwork(ctx, name, options...)
	if docker.IsOverlap(err) {
		err = fault.WithHint(fault.Errorf(fault.ErrUnavailable, "another network uses the addresses of the cluster: %w", err),
			"list the networks: docker network ls; or recreate the cluster; its contents are lost: lab up %s --recreate", name)
	}
	return err
}

// subnet returns the addresses of a cluster's network from those of its nodes.
func (e engine) subnet(name string, nodes []docker.Container) (netip.Prefix, bool) {
	bits := subnetBits
	if config, err := e.home.profile(name); err == nil && strings.Contains(config.Subnet, "/") {
		if asked, err := netip.ParsePrefix(config.Subnet); err == nil {
			bits = asked.Bits()
		}
	}
	for _, n := range nodes {
		if at, err := netip.ParseAddr(n.NetworkSettings.Networks[name].IPAMConfig.IPv4Address); err == nil {
			return netip.PrefixFrom(at, bits).Masked(), true
		}
	}
	return netip.Prefix{}, false
}
