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
