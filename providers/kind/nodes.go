package kind

import (
	"context"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// The labels by which kind knows its containers, and their roles.
const (
	labelCluster = "io.x-k8s.kind.cluster"
	labelRole    = "io.x-k8s.kind.role"

	roleControlPlane = "control-plane"
	roleBalancer     = "external-load-balancer"
)

// adminFile is the kubeconfig that kubeadm writes in a control plane.
const adminFile = "/etc/kubernetes/admin.conf"

// containers describes how kind's clusters are recognized by their containers. The restart
// policy is kind's own.
func containers() nodes.Tool {
	return nodes.Tool{
		Flavor: Name, Label: labelCluster, APIPort: "6443/tcp", Restart: "on-failure:1",
		ControlPlane: hasRole(roleControlPlane), Balancer: hasRole(roleBalancer), Mark: markOf,
		Logs:        logsOf,
		AsPublished: true, // kind configures kubeadm so
		Network:     func(c docker.Container) (string, bool) { return c.HostConfig.NetworkMode, true },
		Remake:      remakeNetwork,
	}
}

// markOf returns the mark of a node, which is the name of a directory in it.
func markOf(c docker.Container) string {
	for _, bind := range c.HostConfig.Binds {
		_, inNode, _ := strings.Cut(bind, ":")
		inNode, _, _ = strings.Cut(inNode, ":")
		if mark, ok := strings.CutPrefix(inNode, markInNode); ok {
			return mark
		}
	}
	return ""
}

func hasRole(r string) func(docker.Container) bool {
	return func(c docker.Container) bool { return c.Config.Labels[labelRole] == r }
}

// Kubeconfig returns the kubeconfig with the names and the address that kind gives it. kind
// itself cannot return that of a stopped cluster.
func (*Provider) Kubeconfig(ctx context.Context, ref providers.Ref) ([]byte, error) {
	return containers().Kubeconfig(ctx, ref, adminFile, entries(ref.Name))
}

// Entries returns the names that kind uses.
func (*Provider) Entries(name string) providers.Entries { return entries(name) }

func entries(name string) providers.Entries {
	known := "kind-" + name
	return providers.Entries{Cluster: known, User: known, Context: known}
}
