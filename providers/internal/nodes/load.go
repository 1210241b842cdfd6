package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// LoadImages imports the images of an archive into every node that runs pods, concurrently. All
// of them must run. importer is the command in a node that reads an archive; the default is
// containerd's. LoadImages returns ErrInvalid if the file is not an image archive or its images
// have no names, and an error if a node lacks an image afterwards. containerd gets nothing if it
// has all of the images already.
//
// It does not use the tools' own commands: one copies the archive first, one starts a container
// for it, and all require every platform that the archive names, while the engine that wrote it
// may have only one.
func (t Tool) LoadImages(ctx context.Context, ref providers.Ref, archive string, importer ...string) error {
	names, err := namesIn(archive)
	if err != nil {
		return err
	}
	take := func(ctx context.Context, n docker.Container) error { return feed(ctx, n, archive, importer) }
	if len(importer) == 0 {
		take = func(ctx context.Context, n docker.Container) error { return importNamed(ctx, n, archive, names) }
	}
	ctx = docker.On(ctx, ref.Engine)
	found, err := t.Own(ctx, ref)
	if err != nil {
		return err
	}
	found = t.Workers(found)
	for _, n := range found {
		if !n.Running() {
			return fault.WithHint(fmt.Errorf("node %s is not running", n.Name), "start the cluster: lab start %s", ref.Name)
		}
	}
	errs := make([]error, len(found))
	var all sync.WaitGroup
	for i, n := range found {
		all.Go(func() { errs[i] = take(ctx, n) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

// imagesCommand is the command in a node that works on the images of the kubelet.
func imagesCommand(args ...string) []string {
	return append([]string{"ctr", "--namespace=k8s.io", "images"}, args...)
}

// importNamed has containerd in a node import an archive, and makes every image available under
// its full name, which the kubelet uses: containerd keeps the names of an OCI layout as they
// are. It sends nothing if containerd has every image by its name and digest.
func importNamed(ctx context.Context, node docker.Container, archive string, names []named) error {
	if has, err := hasAll(ctx, node, names); has || err != nil {
		return err
	}
	if err := feed(ctx, node, archive, imagesCommand("import", "-")); err != nil {
		return err
	}
	var list bytes.Buffer
	if err := docker.Exec(ctx, node.ID, nil, &list, imagesCommand("ls", "--quiet")...); err != nil {
		return fmt.Errorf("node %s: %w", node.Name, err)
	}
	has := strings.Fields(list.String())
	for _, name := range names {
		switch {
		case slices.Contains(has, name.full):
		case slices.Contains(has, name.raw):
			if err := docker.Exec(ctx, node.ID, nil, nil, imagesCommand("tag", "--force", name.raw, name.full)...); err != nil {
				return fmt.Errorf("node %s: %w", node.Name, err)
			}
		default:
			err := fmt.Errorf("node %s does not have the image %s after the import", node.Name, name.full)
			return fault.WithHint(err, "check that the archive is for the platform of the nodes: docker image inspect --format '{{.Architecture}}' %s", name.raw)
		}
	}
	return nil
}

// hasAll reports whether containerd in a node has every image by its name and digest. It does not
// if an image has no digest to compare.
func hasAll(ctx context.Context, node docker.Container, names []named) (bool, error) {
	if slices.ContainsFunc(names, func(n named) bool { return n.digest == "" }) {
		return false, nil
	}
	var list bytes.Buffer
	if err := docker.Exec(ctx, node.ID, nil, &list, imagesCommand("ls")...); err != nil {
		return false, fmt.Errorf("node %s: %w", node.Name, err)
	}
	digests := map[string]string{}
	for line := range strings.Lines(list.String()) { // REF TYPE DIGEST SIZE PLATFORMS LABELS
		if columns := strings.Fields(line); len(columns) > 2 {
			digests[columns[0]] = columns[2]
		}
	}
	return !slices.ContainsFunc(names, func(n named) bool { return digests[n.full] != n.digest }), nil
}

// feed runs a command in a node that reads an archive from its standard input.
func feed(ctx context.Context, node docker.Container, archive string, command []string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := docker.Exec(ctx, node.ID, file, nil, command...); err != nil {
		return fault.WithHint(fmt.Errorf("node %s: %w", node.Name, err), "%s", importHint(err))
	}
	return nil
}

// importHint returns a hint for an import that failed because of the contents of the archive.
func importHint(err error) string {
	switch words := err.Error(); {
	case strings.Contains(words, "no match for platform"):
		return "build or pull the image for the platform of the nodes: docker build --platform PLATFORM, or docker pull --platform PLATFORM IMAGE"
	case strings.Contains(words, "content digest"):
		return "write a complete archive: docker save --platform PLATFORM, or docker buildx build --output type=docker"
	}
	return fault.HintOf(err)
}
