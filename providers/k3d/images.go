package k3d

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// SaveImages saves images of the Docker Engine, which k3d's own nodes run in.
func (*Provider) SaveImages(ctx context.Context, images []string, archive string) error {
	return docker.Save(ctx, images, archive)
}

// LoadImages imports the archive into every node, side by side. Every node must run. k3d's
// own import is not used: it wants every platform that an image names, though the engine
// has one, and goes by a container of tools.
func (*Provider) LoadImages(ctx context.Context, name, archive string) error {
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
		if isNode(c) && !c.Running() {
			return providers.WithHint(fmt.Errorf("node %s does not run", c.Name), "lab start %s", name)
		}
	}
	errs := make([]error, len(found))
	var all sync.WaitGroup
	for i, c := range found {
		if isNode(c) {
			all.Go(func() { errs[i] = load(ctx, c, archive) })
		}
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

func load(ctx context.Context, node docker.Container, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := docker.Exec(ctx, node.ID, file, "ctr", "--namespace=k8s.io", "images", "import", "-"); err != nil {
		return fmt.Errorf("node %s: %w", node.Name, err)
	}
	return nil
}
