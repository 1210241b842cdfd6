package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// LoadImages imports the archive into every node, side by side. Every node must run.
func (p *Provider) LoadImages(ctx context.Context, name, archive string) error {
	if info, err := os.Stat(archive); err != nil {
		return err
	} else if info.IsDir() {
		return fmt.Errorf("%s is a directory, not an archive", archive)
	}
	found, err := containers().Find(ctx, name)
	if err != nil {
		return err
	}
	for _, c := range found {
		if !c.Running() {
			err := fmt.Errorf("node %s does not run", c.Name)
			return providers.WithHint(err, "lab start %s", name)
		}
	}
	inside, err := tool(log.NoopLogger{}).ListInternalNodes(name)
	if err != nil {
		return explain(err, true)
	}
	errs := make([]error, len(inside))
	var all sync.WaitGroup
	for i, node := range inside {
		all.Go(func() { errs[i] = load(ctx, node, archive) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

func load(ctx context.Context, node nodes.Node, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	err = nodeutils.LoadImageArchive(node, reader{ctx, file})
	if err != nil {
		err = fmt.Errorf("node %s: %w", node, explain(err, true))
	}
	return err
}

// reader reads until ctx ends. kind's import knows no context, and ends with its input.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads, or returns the error of the context.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// SaveImages has the Docker Engine write images of its own into an archive.
func (*Provider) SaveImages(ctx context.Context, images []string, archive string) error {
	return docker.Save(ctx, images, archive)
}
