package k3d

import (
	"cmp"
	"context"
	"errors"
	"time"

	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// sweepWithin bounds the removal of a cluster whose creation failed.
const sweepWithin = time.Minute

// sweep removes everything of a cluster whose creation failed, as soon as the engine permits
// it.
func sweep(ctx context.Context, ref providers.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	return docker.Insist(ctx, 250*time.Millisecond, func() (bool, error) {
		err := remove(ctx, ref)
		if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign) {
			err = nil
		}
		return true, err
	})
}

// remove removes the containers of a cluster, then its volumes and its network, and the files
// that k3d wrote on this machine for its nodes. If another cluster has containers of the name,
// the volumes and the network may belong to it, and stay. It returns ErrNotFound if neither
// containers nor a network exist, and the errors of [providers.Ref.Check].
func remove(ctx context.Context, ref providers.Ref) error {
	found, gone := containers().Find(ctx, ref.Name)
	if gone != nil && !errors.Is(gone, fault.ErrNotFound) {
		return gone
	}
	own := found
	if gone == nil {
		var err error
		if own, err = containers().Pick(found, ref); err != nil {
			return err
		}
	}
	if err := docker.Remove(ctx, nodes.IDs(own)...); err != nil {
		return err
	}
	if len(own) == len(found) {
		had, err := removeShared(ctx, ref.Name)
		if err != nil {
			return err
		}
		if had {
			gone = nil // it was interrupted before its first node
		}
	}
	removeHostsFiles(own)
	return cmp.Or(removeMemoryFiles(own), gone)
}

// removeShared removes the volumes and the network of a cluster without containers, and reports
// whether a network existed. The network is last, because List recognizes a half-removed
// cluster by it. A network that the cluster only uses has another name, and stays.
func removeShared(ctx context.Context, name string) (had bool, err error) {
	volumes, err := docker.Labelled(ctx, docker.Volume, k3d.LabelClusterName+"="+name)
	if err == nil {
		err = docker.RemoveAll(ctx, docker.Volume, volumes...)
	}
	if err != nil {
		return false, err
	}
	networks, err := docker.Networks(ctx, labelOwner)
	for _, network := range networks {
		if network.Name != containerName(name, "") {
			continue
		}
		had = true
		if err := leaveRegistries(ctx, network.ID); err != nil {
			return had, err
		}
		if err := docker.RemoveNetwork(ctx, network.ID); err != nil {
			return had, err
		}
	}
	return had, err
}

// leaveRegistries disconnects k3d's registries, which several clusters share, from a network
// that is about to be removed.
func leaveRegistries(ctx context.Context, network string) error {
	registries, err := docker.Containers(ctx, k3d.LabelRole+"="+string(k3d.RegistryRole))
	if err != nil {
		return err
	}
	return docker.Disconnect(ctx, network, nodes.IDs(registries)...)
}
