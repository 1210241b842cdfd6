package k3d

import (
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// SaveImages saves images of the Docker Engine, which k3d's own nodes run in.
func (*Provider) SaveImages(ctx context.Context, images []string, archive string) error {
	return docker.Save(ctx, images, archive)
}

// LoadImages imports the archive into every node, side by side. Every node must run.
func (*Provider) LoadImages(ctx context.Context, ref providers.Ref, archive string) error {
	return containers().LoadImages(ctx, ref, archive)
}
