package minikube

import (
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

const (
	// ownRepository is where the images of minikube's own nodes are. Which of them it
	// takes, only minikube knows.
	ownRepository = "gcr.io/k8s-minikube/kicbase"

	imageVariable = "LAB_IMAGES_MINIKUBE_BASE"
)

// Check returns nil where a minikube is found that is new enough and, unless the user's
// configuration asks for another driver, the Docker Engine answers and has the image of
// the nodes or could pull it. Otherwise it returns ErrUnavailable.
func (p *Provider) Check(ctx context.Context) error {
	if _, err := p.program(ctx); err != nil {
		return err
	}
	if p.driver(providers.Spec{}, nil) != driverDocker {
		return nil
	}
	if image := last(p.configured(), flagBaseImage); image != "" {
		return nodes.Check(ctx, image, imageVariable)
	}
	if _, err := docker.Ping(ctx); err != nil {
		return err
	}
	if has, err := docker.HasRepository(ctx, ownRepository); has || err != nil {
		return err
	}
	return nodes.Check(ctx, ownRepository, imageVariable)
}
