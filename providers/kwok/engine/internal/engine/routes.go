package engine

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/egress"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/nodes"
)

// routes returns the addresses that the API server can reach: KWOK's server, for the kubelets of all
// nodes, and the endpoints of Services outside the cluster.
type routes struct{ kubelets atomic.Value }

func (r *routes) kubeletsMoved(address string) { r.kubelets.Store(address) }

// of returns the addresses to dial for address.
func (r *routes) of(ctx context.Context, address string) ([]string, error) {
	if address == net.JoinHostPort(nodes.IP, strconv.Itoa(nodes.KubeletPort)) {
		if real, ok := r.kubelets.Load().(string); ok {
			return []string{real}, nil
		}
		return nil, nil // not yet
	}
	services, err := newServices()
	if err != nil {
		return nil, err
	}
	return services.Resolve(ctx, address)
}

func newServices() (egress.Services, error) {
	client, err := newClient()
	return egress.Services{Client: client, Networks: []netip.Prefix{
		netip.MustParsePrefix(nodes.PodCIDR),
		netip.MustParsePrefix(controlplane.ServiceCIDR),
	}}, err
}
