package nodes

import (
	"context"
	"errors"
	"slices"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// CheckFree returns ErrExists where the tool has a cluster of that name, or where the
// engine has a container that is called as one of its nodes would be.
func (t Tool) CheckFree(ctx context.Context, name, prefix string, nodes []string) error {
	found, err := t.Find(ctx, name)
	if err == nil {
		return fault.Errorf(fault.ErrExists, "a %s cluster of this name already exists, with the node %s", t.Flavor, found[0].Name)
	}
	if !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	return t.CheckNames(ctx, prefix, nodes)
}

// CheckNames returns ErrExists where the engine has a container, of whomever, that is
// called as one of nodes would be. All their names begin with prefix.
func (t Tool) CheckNames(ctx context.Context, prefix string, nodes []string) error {
	taken, err := docker.Names(ctx, prefix)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if slices.Contains(taken, node) {
			err := fault.Errorf(fault.ErrExists, "container %s already exists and is not a node of a %s cluster", node, t.Flavor)
			return fault.WithHint(err, "use another name, or remove the container: docker rm --force %s", node)
		}
	}
	return nil
}
