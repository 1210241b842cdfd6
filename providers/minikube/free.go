package minikube

import (
	"context"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// checkFree returns ErrExists if a cluster of that name exists, or an object in the Docker
// Engine that conflicts with it.
func (p *Provider) checkFree(ctx context.Context, spec providers.Spec, inDocker bool) error {
	c, err := p.find(ctx, spec.Name)
	if err == nil {
		return fault.Errorf(fault.ErrExists, "a minikube cluster of this name already exists, in state %s", c.State)
	}
	if ignoreNotFound(err) != nil || !inDocker {
		return ignoreNotFound(err)
	}
	err = p.engine.containers().CheckNames(ctx, spec.Name, nodeNames(spec))
	for _, node := range nodeNames(spec) {
		if err == nil {
			err = checkVolume(ctx, node)
		}
	}
	return err
}

// checkVolume returns ErrExists if a volume with a node's name exists: minikube would use it
// with the data of another cluster.
func checkVolume(ctx context.Context, node string) error {
	has, err := docker.HasVolume(ctx, node)
	if err != nil || !has {
		return err
	}
	err = fault.Errorf(fault.ErrExists, "volume %s already exists", node)
	return fault.WithHint(err, "use another name, or remove the volume: docker volume rm %s", node)
}

// nodeNames returns the names that minikube gives to the nodes.
func nodeNames(spec providers.Spec) []string {
	names := []string{spec.Name}
	for i := 2; i <= spec.ControlPlanes+spec.Workers; i++ {
		names = append(names, fmt.Sprintf("%s-m%02d", spec.Name, i))
	}
	return names
}

func ignoreNotFound(err error) error {
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	return err
}
