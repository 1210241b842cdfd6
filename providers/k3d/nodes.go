package k3d

import (
	"context"
	"slices"
	"strings"

	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// labelOwner is a label of everything that k3d creates.
const labelOwner = "app=k3d"

// labelMark is a label of the containers of a cluster that lab created; its value is the mark.
const labelMark = "clusterlab.dev/mark"

// adminFile is where k3s in a server writes its kubeconfig.
const adminFile = "/output/kubeconfig.yaml"

// containers describes how k3d's clusters are recognized by their containers. The restart
// policy is k3d's own.
func containers() nodes.Tool {
	return nodes.Tool{
		Flavor: Name, Label: k3d.LabelClusterName, APIPort: k3d.DefaultAPIPort + "/tcp", Restart: "unless-stopped",
		Program:      "k3s", // k3d's entrypoint of a node does not exit with it
		ControlPlane: hasRole(k3d.ServerRole), Balancer: hasRole(k3d.LoadBalancerRole),
		Helper: func(c docker.Container) bool { return !isNode(c) }, Registry: hasRole(k3d.RegistryRole),
		Mark: markOf,
		Network: func(c docker.Container) (string, bool) {
			return c.Config.Labels[k3d.LabelNetwork], c.Config.Labels[k3d.LabelNetworkExternal] == "false"
		},
		Remake:       remakeNetwork,
		Rebalance:    rebalance,
		CanRebalance: func(c docker.Container) bool { return c.Config.Labels[labelBalancer] != "" },
		Bare:         bareOf,
		Logs:         logsOf,
	}
}

// markOf returns the mark of a container. A container that another program starts from a commit
// of a node inherits the node's labels, and so its mark. It has no mark unless it has a name of
// the cluster's or is in its network.
func markOf(c docker.Container) string {
	labels := c.Config.Labels
	named := strings.HasPrefix(c.Name, containerName(labels[k3d.LabelClusterName], "")+"-")
	if _, joined := c.NetworkSettings.Networks[labels[k3d.LabelNetwork]]; !named && !joined {
		return ""
	}
	return labels[labelMark]
}

func hasRole(role k3d.Role) func(docker.Container) bool {
	return func(c docker.Container) bool { return c.Config.Labels[k3d.LabelRole] == string(role) }
}

// isNode reports whether a container is a node of Kubernetes, and not a helper.
func isNode(c docker.Container) bool {
	return hasRole(k3d.ServerRole)(c) || hasRole(k3d.AgentRole)(c)
}

// bareOf returns the cluster of a network of k3d, or "".
func bareOf(network docker.Object) string {
	name, ok := strings.CutPrefix(network.Name, containerName("", ""))
	if !ok || !slices.Contains(network.Labels, labelOwner) {
		return ""
	}
	return name
}

// Kubeconfig returns the kubeconfig with the names and the address that k3d gives it. k3d
// itself cannot return that of a stopped cluster.
func (*Provider) Kubeconfig(ctx context.Context, ref providers.Ref) ([]byte, error) {
	return containers().Kubeconfig(ctx, ref, adminFile, entries(ref.Name))
}

// Entries returns the names that k3d uses.
func (*Provider) Entries(name string) providers.Entries { return entries(name) }

func entries(name string) providers.Entries {
	known := containerName(name, "")
	return providers.Entries{Cluster: known, User: "admin@" + known, Context: known}
}

// containerName returns k3d's name of a part of a cluster or, without a part, of the cluster.
func containerName(cluster, part string) string {
	name := k3d.DefaultObjectNamePrefix + "-" + cluster
	if part != "" {
		name += "-" + part
	}
	return name
}
