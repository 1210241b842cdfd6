package k3d

import (
	"context"
	"errors"
	"slices"
	"time"

	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// sweepWithin bounds the removal of a cluster that could not be finished.
const sweepWithin = time.Minute

// sweep removes what was made of a cluster that could not be finished, as soon as the
// engine lets it. Of its token it knows its containers; where others bear the same name,
// somebody was faster, and theirs are the network and the volumes.
func sweep(ctx context.Context, name, token string) error {
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	return docker.Insist(ctx, 250*time.Millisecond, func() (bool, error) { return true, sweepOnce(ctx, name, token) })
}

func sweepOnce(ctx context.Context, name, token string) error {
	found, err := containers().Find(ctx, name)
	if err != nil && !errors.Is(err, providers.ErrNotFound) {
		return err
	}
	var own []docker.Container
	for _, c := range found {
		// The containers of tools and registries have no token; they belong to a name.
		if t := c.Config.Labels[k3d.LabelClusterToken]; t == token || t == "" {
			own = append(own, c)
		}
	}
	if len(own) < len(found) {
		return docker.Remove(ctx, nodes.IDs(own)...)
	}
	return remove(ctx, name, own)
}

// remove removes the containers of a cluster, then its volumes and its network, and what
// k3d wrote on this machine for its nodes. The network goes last: List
// knows a cluster by it that was removed half-way. One that the cluster only shares bears
// another name, and stays.
func remove(ctx context.Context, name string, found []docker.Container) error {
	if err := docker.Remove(ctx, nodes.IDs(found)...); err != nil {
		return err
	}
	volumes, err := docker.Labelled(ctx, docker.Volume, k3d.LabelClusterName+"="+name)
	if err == nil {
		err = docker.RemoveAll(ctx, docker.Volume, volumes...)
	}
	if err != nil {
		return err
	}
	networks, err := docker.Labelled(ctx, docker.Network, labelOwner)
	if network := containerName(name, ""); slices.Contains(networks, network) {
		err = leaveRegistries(ctx, network)
		if err == nil {
			err = docker.RemoveAll(ctx, docker.Network, network)
		}
	}
	if err != nil {
		return err
	}
	var names []string
	for _, n := range found {
		names = append(names, n.Name)
	}
	removeHostsFiles(names)
	return removeMemoryFiles(found)
}

// leaveRegistries takes k3d's registries, which several clusters share, out of a network
// that is about to go.
func leaveRegistries(ctx context.Context, network string) error {
	registries, err := docker.Containers(ctx, k3d.LabelRole+"="+string(k3d.RegistryRole))
	if err != nil {
		return err
	}
	return docker.Disconnect(ctx, network, nodes.IDs(registries)...)
}
