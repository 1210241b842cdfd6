package kind

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// The labels by which kind knows its containers, and their roles.
const (
	labelCluster = "io.x-k8s.kind.cluster"
	labelRole    = "io.x-k8s.kind.role"

	roleControlPlane = "control-plane"
	roleBalancer     = "external-load-balancer"
)

// apiPort is the API server's port in a node, or in the balancer before several.
const apiPort = "6443/tcp"

// find returns the containers of a cluster by name, or ErrNotFound.
func find(ctx context.Context, name string) ([]docker.Container, error) {
	nodes, err := docker.Containers(ctx, labelCluster+"="+name)
	if err == nil && len(nodes) == 0 {
		err = providers.Errorf(providers.ErrNotFound, "there is no kind cluster %q", name)
	}
	return nodes, err
}

func ids(nodes []docker.Container) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.ID
	}
	return list
}

func role(c docker.Container) string { return c.Config.Labels[labelRole] }

func hasRole(r string) func(docker.Container) bool {
	return func(c docker.Container) bool { return role(c) == r }
}

// controlPlane returns the first node that runs a control plane. It is the one that
// began the cluster, and its container is the cluster's identity.
func controlPlane(nodes []docker.Container) (docker.Container, bool) {
	i := slices.IndexFunc(nodes, hasRole(roleControlPlane))
	if i < 0 {
		return docker.Container{}, false
	}
	return nodes[i], true
}

// address returns where the API server is published on this machine. It is known of
// stopped clusters too, as kind has the port picked when it makes the cluster.
func address(nodes []docker.Container) (string, error) {
	i := slices.IndexFunc(nodes, hasRole(roleBalancer))
	if i < 0 {
		i = slices.IndexFunc(nodes, hasRole(roleControlPlane))
	}
	if i < 0 {
		return "", errors.New("it has no control plane")
	}
	// Where Docker Desktop runs the engine elsewhere, it notes what it forwards.
	if forwarded := nodes[i].Config.Labels["desktop.docker.io/ports/"+apiPort]; forwarded != "" {
		return forwarded, nil
	}
	for _, ports := range []map[string][]docker.Binding{nodes[i].NetworkSettings.Ports, nodes[i].HostConfig.PortBindings} {
		for _, b := range ports[apiPort] {
			if b.HostPort == "" || b.HostPort == "0" {
				continue
			}
			host := cmp.Or(b.HostIP, "127.0.0.1")
			switch host {
			case "0.0.0.0":
				host = "127.0.0.1"
			case "::":
				host = "::1"
			}
			return net.JoinHostPort(host, b.HostPort), nil
		}
	}
	return "", errors.New("its API server is published on no port of this machine")
}
