// Package imagebuild builds images with the Docker Engine, from which lab loads images into nodes.
package imagebuild

import (
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Docker implements [providers.Builder] with docker's current engine.
type Docker struct{}

// Build implements [providers.Builder].
func (Docker) Build(ctx context.Context, b providers.Build, said func(line string)) error {
	return docker.Build(ctx, b, said)
}
