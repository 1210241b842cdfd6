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
	// ownRepository has minikube's own node images. Which tag it uses, only minikube knows.
	ownRepository = "gcr.io/k8s-minikube/kicbase"

	imageVariable = "LAB_IMAGES_MINIKUBE_BASE"
)

// Validate implements [providers.Validator].
func (p *Provider) Validate(spec providers.Spec) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	_, err := p.plan(spec)
	return err
}

// Check returns nil if a supported minikube is found and, with the docker driver, the Docker
// Engine answers and has the node image or its registry answers. Otherwise it returns
// ErrUnavailable.
func (p *Provider) Check(ctx context.Context, spec providers.Spec) error {
	if _, err := p.runner.program(ctx); err != nil {
		return err
	}
	native, err := parseNative(spec.Native)
	if err != nil {
		return nil // Create reports the error
	}
	args := slices.Concat(defaults(), p.opts.configured(), native, ownArgs(spec))
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
