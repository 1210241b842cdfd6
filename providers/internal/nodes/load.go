package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// LoadImages has every node of a cluster that runs pods take the images of an archive,
// side by side. All must run. importer is the command in a node that reads an archive;
// without one it is containerd's.
//
// The tools' own ways are not used: one unpacks and copies the archive first, one goes by
// a container that it starts for it, and all of them want every platform that the archive
// names, though the engine that wrote it may have one.
func (t Tool) LoadImages(ctx context.Context, ref providers.Ref, archive string, importer ...string) error {
	if info, err := os.Stat(archive); err != nil {
		return err
	} else if info.IsDir() {
		return fmt.Errorf("%s is a directory, not an archive", archive)
	}
	if len(importer) == 0 {
		importer = []string{"ctr", "--namespace=k8s.io", "images", "import", "-"}
	}
	ctx = docker.On(ctx, ref.Engine)
	found, err := t.Own(ctx, ref)
	if err != nil {
		return err
	}
	found = t.Workers(found)
	for _, n := range found {
		if !n.Running() {
			return providers.WithHint(fmt.Errorf("node %s does not run", n.Name), "lab start %s", ref.Name)
		}
	}
	errs := make([]error, len(found))
	var all sync.WaitGroup
	for i, n := range found {
		all.Go(func() { errs[i] = load(ctx, n, archive, importer) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

func load(ctx context.Context, node docker.Container, archive string, importer []string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := docker.Exec(ctx, node.ID, file, nil, importer...); err != nil {
		return fmt.Errorf("node %s: %w", node.Name, err)
	}
	return nil
}
