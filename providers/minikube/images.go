package minikube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// LoadImages imports the archive into every node, side by side. Every node must run.
//
// Where nodes are containers it goes straight to what runs the pods there: `minikube
// image load` unpacks the archive, copies it twice, and ends well where it failed.
func (p *Provider) LoadImages(ctx context.Context, name, archive string) error {
	if info, err := os.Stat(archive); err != nil {
		return err
	} else if info.IsDir() {
		return fmt.Errorf("%s is a directory, not an archive", archive)
	}
	c, err := p.find(ctx, name)
	if err != nil {
		return err
	}
	if c.State == providers.StateStopped {
		return providers.WithHint(errors.New("the cluster is stopped"), "lab start %s", name)
	}
	config, err := p.profile(name)
	if err != nil {
		return halfMade(name, err)
	}
	if config.Driver != driverDocker {
		tool, err := p.program(ctx)
		if err != nil {
			return err
		}
		return p.run(ctx, tool, name, quiet(), "image", "load", archive)
	}
	return p.loadEverywhere(ctx, name, archive, importer(config.KubernetesConfig.ContainerRuntime))
}

func (p *Provider) loadEverywhere(ctx context.Context, name, archive string, importer []string) error {
	found, err := p.containers().Find(ctx, name)
	if err != nil {
		return err
	}
	errs := make([]error, len(found))
	var all sync.WaitGroup
	for i, node := range found {
		all.Go(func() { errs[i] = load(ctx, node, archive, importer) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

func load(ctx context.Context, node docker.Container, archive string, importer []string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	args := append([]string{"exec", "--interactive", node.ID}, importer...)
	if err := docker.Pipe(ctx, file, nil, args...); err != nil {
		return fmt.Errorf("node %s: %w", node.Name, err)
	}
	return nil
}

// importer returns the command by which a container runtime takes an archive.
func importer(runtime string) []string {
	switch runtime {
	case "docker":
		return []string{"docker", "load"}
	case "crio", "cri-o":
		return []string{"podman", "load"}
	}
	return []string{"ctr", "--namespace=k8s.io", "images", "import", "-"}
}

// SaveImages has the Docker Engine write images of its own into an archive.
func (*Provider) SaveImages(ctx context.Context, images []string, archive string) error {
	return docker.Save(ctx, images, archive)
}
