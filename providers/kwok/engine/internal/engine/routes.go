package engine

import (
	"net"
	"strconv"
	"sync/atomic"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/nodes"
)

// routes knows where the one thing is that can be reached in the cluster's
// network: the kubelet that every node claims to have.
type routes struct{ kubelets atomic.Value }

func (r *routes) kubeletsMoved(address string) { r.kubelets.Store(address) }

// of returns where address really is, or "".
func (r *routes) of(address string) string {
	if address != net.JoinHostPort(nodes.IP, strconv.Itoa(nodes.KubeletPort)) {
		return ""
	}
	real, _ := r.kubelets.Load().(string)
	return real
}
