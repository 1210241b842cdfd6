package nodes

import (
	"context"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// WithLogs is [providers.WithLogs] of a cluster of which some node runs. Where none ever
// did there is nothing to save.
func (t Tool) WithLogs(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) error {
	nodes, err := t.Find(ctx, name)
	if err != nil || !slices.ContainsFunc(nodes, docker.Container.Running) {
		return cause
	}
	return providers.WithLogs(ctx, name, parent, cause, export)
}
