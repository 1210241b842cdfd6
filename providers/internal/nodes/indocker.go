package nodes

import (
	"context"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// InDocker has the methods that are the same for every provider whose nodes are containers of
// docker's current engine. Providers embed it.
type InDocker struct{}

// Engine returns docker's current engine, which the tools use.
func (InDocker) Engine(ctx context.Context, _ providers.Spec) (providers.Engine, error) {
	return docker.Current(ctx)
}

// CheckEngine returns ErrUnavailable if a Docker Engine does not answer, or if another one
// answers at its address.
func (InDocker) CheckEngine(ctx context.Context, engine providers.Engine) error {
	return docker.CheckEngine(ctx, engine)
}

// SaveImages writes images of the Docker Engine into an archive.
func (InDocker) SaveImages(ctx context.Context, images []string, archive string) error {
	return docker.Save(ctx, images, archive)
}

// LacksImages returns those of images that docker's current engine does not have.
func (InDocker) LacksImages(ctx context.Context, images []string) ([]string, error) {
	var lacks []string
	for _, image := range images {
		has, err := docker.HasImage(ctx, image)
		if err != nil {
			return nil, err
		}
		if !has {
			lacks = append(lacks, image)
		}
	}
	return lacks, nil
}

// KeepImages loads the images of an archive into docker's current engine.
func (InDocker) KeepImages(ctx context.Context, archive string) error {
	return docker.Load(ctx, archive)
}

// Straggles is how long the engine may still create a container whose client was killed:
// creating one takes seconds on a busy machine.
const Straggles = 5 * time.Second

// Straggles returns how long the Docker Engine may continue with requests of a killed lab.
func (InDocker) Straggles() time.Duration { return Straggles }

// OfTool has the methods that are the same for every provider whose clusters are recognized by their
// containers alone. Providers embed it.
type OfTool struct {
	InDocker
	tool func() Tool
}

// NewOfTool returns the methods for clusters that tool describes.
func NewOfTool(tool func() Tool) OfTool { return OfTool{tool: tool} }

// List returns every cluster of the tool that docker's current engine has, see [Tool.List].
func (o OfTool) List(ctx context.Context) ([]providers.Cluster, error) { return o.tool().List(ctx) }

// ListOn returns every cluster of the tool that a Docker Engine has, see [Tool.List].
func (o OfTool) ListOn(ctx context.Context, engine providers.Engine) ([]providers.Cluster, error) {
	return o.tool().List(docker.On(ctx, engine))
}

// Stop stops the nodes, and has the engine not start them with the machine.
func (o OfTool) Stop(ctx context.Context, ref providers.Ref) error { return o.tool().Stop(ctx, ref) }

// LoadImages imports the images of an archive into every node. All nodes must run.
func (o OfTool) LoadImages(ctx context.Context, ref providers.Ref, archive string) error {
	return o.tool().LoadImages(ctx, ref, archive)
}
