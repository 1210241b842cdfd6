package minikube

import (
	"net/netip"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// serviceRange is the first address that minikube assigns to a Service, that of the API server
// (its flag --service-cluster-ip-range).
const serviceRange = "10.96.0.1"

// checkProxy returns ErrUnavailable if docker configures a proxy in every node that kubeadm
// would use for the API server of its cluster: minikube then waits until its timeout.
func checkProxy() error {
	p, ok := docker.ConfiguredProxy(os.Getenv)
	if !ok || reachesDirectly(p.NoProxy, serviceRange) {
		return nil
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "%s sets a proxy in every container (%s) and does not exclude the addresses of a cluster, so its nodes cannot reach their own API server", p.File, p.Key),
		`add this to %s in that file: "noProxy": "localhost,127.0.0.1,10.96.0.0/12,10.244.0.0/16,192.168.0.0/16,.svc,.cluster.local,control-plane.minikube.internal"`, p.Key)
}

// reachesDirectly reports whether a list such as NO_PROXY contains an address.
func reachesDirectly(noProxy, address string) bool {
	ip := netip.MustParseAddr(address)
	for entry := range strings.SplitSeq(noProxy, ",") {
		entry = strings.TrimSpace(entry)
		if prefix, err := netip.ParsePrefix(entry); err == nil && prefix.Contains(ip) || entry == "*" || entry == address {
			return true
		}
	}
	return false
}
