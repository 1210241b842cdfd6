package minikube

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// LoadImages imports the images of an archive into every node. All nodes must run.
//
// If nodes are containers it uses the container runtime in them directly: `minikube image load`
// unpacks the archive, copies it twice, and succeeds if the import failed.
func (p *Provider) LoadImages(ctx context.Context, ref providers.Ref, archive string) error {
	if err := nodes.CheckArchive(archive); err != nil { // minikube reports no error
		return err
	}
	name := ref.Name
	ctx, c, err := p.own(ctx, ref)
	if err != nil {
		return err
	}
	if c.State == providers.StateStopped {
		return fault.WithHint(errors.New("the cluster is stopped"), "start the cluster: lab start %s", name)
	}
	config, err := p.home.profile(name)
	if err != nil {
		return incomplete(name, err)
	}
	if config.Driver != driverDocker {
		tool, err := p.runner.program(ctx)
		if err != nil {
			return err
		}
		return p.runner.run(ctx, tool, name, quiet(), "image", "load", archive)
	}
	return p.engine.containers().LoadImages(ctx, nodesOnly(ref), archive, importer(config.KubernetesConfig.ContainerRuntime)...)
}

// importer returns the command with which a container runtime imports an archive.
func importer(runtime string) []string {
	switch runtime {
	case "docker":
		return []string{"docker", "load"}
	case "crio", "cri-o":
		return []string{"podman", "load"}
	}
	return nil // the default, containerd's
}
