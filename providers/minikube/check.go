package minikube

import (
	"cmp"
	"context"
	"slices"

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

// Validate implements [providers.Validator].
func (p *Provider) Validate(spec providers.Spec) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	_, err := p.plan(spec)
	return err
}

// Check returns nil where a minikube is found that is new enough and, unless another
// driver is asked for, the Docker Engine answers and has the image of the nodes or could
// pull it. Otherwise it returns ErrUnavailable.
func (p *Provider) Check(ctx context.Context, spec providers.Spec) error {
	if _, err := p.program(ctx); err != nil {
		return err
	}
	native, err := parseNative(spec.Native)
	if err != nil {
		return nil // it is Create's to say so
	}
	args := slices.Concat(defaults(), p.configured(), native, ownArgs(spec))
	if last(args, flagDriver) != driverDocker {
		return nil
	}
	if image := last(args, flagBaseImage); image != "" {
		return nodes.Check(ctx, spec, image, imageVariable)
	}
	if tags, err := docker.Tags(ctx, ownRepository); len(tags) > 0 || err != nil {
		return err
	}
	return nodes.Check(ctx, spec, ownRepository, imageVariable)
}
