package k3d

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	engine "github.com/k3d-io/k3d/v5/pkg/runtimes/docker"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// environment returns what k3d needs to know about the machine before it starts nodes, above
// all the address at which they reach it. k3d itself runs a tools container for that each time;
// if the engine is on this machine, that is not necessary.
func environment(ctx context.Context, cluster *k3d.Cluster, tools string) (*k3d.EnvironmentInfo, error) {
	info, err := runtimes.Docker.Info()
	if err != nil {
		return nil, err
	}
	if engine.IsDockerDesktop(info.OS) || info.InfoName == "colima" {
		token := rand.Text()
		defer removeTools(context.WithoutCancel(ctx), token)
		if err := runTools(ctx, cluster, tools, token); err != nil {
			return nil, err
		}
	}
	gateway, err := client.GetHostIP(ctx, runtimes.Docker, cluster)
	if err != nil {
		return nil, fmt.Errorf("cannot determine the address of this machine: %w", err)
	}
	return &k3d.EnvironmentInfo{RuntimeInfo: *info, HostGateway: gateway}, nil
}

// labelTools is a label of a tools container that lab runs; its value is unique.
const labelTools = "clusterlab.dev/tools"

// removeTools removes the container that runTools ran with the token. One that k3d runs at the
// same time has the same name, and stays.
func removeTools(ctx context.Context, token string) {
	if found, err := docker.Containers(ctx, labelTools+"="+token); err == nil {
		_ = docker.Remove(ctx, nodes.IDs(found)...) // it is removed with the cluster, too
	}
}

// runTools runs the container in which k3d looks up names, before k3d would: k3d takes the
// image from the environment only, and needs a volume that may not exist.
func runTools(ctx context.Context, cluster *k3d.Cluster, image, token string) error {
	return client.NodeRun(ctx, runtimes.Docker, &k3d.Node{
		Name:          containerName(cluster.Name, "tools"),
		Image:         image,
		Role:          k3d.NoRole,
		Networks:      []string{cluster.Network.Name},
		Args:          []string{"noop"},
		RuntimeLabels: map[string]string{"app": "k3d", k3d.LabelClusterName: cluster.Name, labelTools: token},
		ExtraHosts:    []string{k3d.DefaultK3dInternalHostRecord + ":host-gateway"},
	}, k3d.NodeCreateOpts{})
}
