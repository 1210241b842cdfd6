package kind

import (
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// LoadImages imports the archive into every node, side by side. Every node must run.
func (*Provider) LoadImages(ctx context.Context, ref providers.Ref, archive string) error {
	return containers().LoadImages(ctx, ref, archive)
}

// SaveImages has the Docker Engine write images of its own into an archive.
func (*Provider) SaveImages(ctx context.Context, images []string, archive string) error {
	return docker.Save(ctx, images, archive)
}
