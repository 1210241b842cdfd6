package clusters

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Images builds container images, and loads them into clusters.
type Images struct {
	Inventory *inventory.Inventory
	Builder   providers.Builder
	Imported  Imported // for images that the engine lacks; may be nil
}

// Build builds an image with the engine of this machine, and loads it into every node of a cluster. Errors are those of
// [providers.Builder] and of Load; ErrUnsupported, before anything is built, if the cluster runs no containers.
func (m *Images) Build(ctx context.Context, name string, b providers.Build, report event.Reporter) error {
	h, err := m.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return err
	}
	if !h.Record.Traits.RunsPods {
		err := fault.Errorf(fault.ErrUnsupported, "%s simulates containers, so cluster %q cannot use images", h.Record.Flavor, name)
		return fault.WithHint(err, "use a flavor that runs containers: lab flavors; or build the image only: docker build")
	}
	if err := m.Inventory.Set.CanLoadImages(h.Record.Flavor); err != nil {
		return err
	}
	report = report.For(name)
	err = report.Do("Building "+strings.Join(b.Tags, ", "), func(step *event.Step) error {
		return m.Builder.Build(ctx, b, step.Progress)
	})
	if err != nil {
		return fmt.Errorf("cannot build %s: %w", strings.Join(b.Tags, ", "), err)
	}
	return m.loadNamed(ctx, h, b.Tags, report)
}

// Load loads images into every node of a cluster. Each source is an archive, as docker save or an OCI
// builder writes it, or the name of an image of the engine on this machine or, if that lacks it, of a bundle. Errors are those
// of [providers.Set.SaveImages] and [providers.Set.LoadImages].
func (m *Images) Load(ctx context.Context, name string, sources []string, report event.Reporter) error {
	h, err := m.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return err
	}
	report = report.For(name)
	var images []string
	for _, source := range sources {
		if !isArchive(source) {
			images = append(images, source)
			continue
		}
		path, done, err := spooled(m.Inventory.State.Dir(name), source)
		if err != nil {
			return err
		}
		err = m.loadArchive(ctx, h, path, "Loading "+source, report)
		done()
		if err != nil {
			return err
		}
	}
	if images, err = m.loadImported(ctx, h, images, report); err != nil || len(images) == 0 {
		return err
	}
	return m.loadNamed(ctx, h, images, report)
}

// loadImported loads those of images that bundles have and the engine lacks, and returns the others.
func (m *Images) loadImported(ctx context.Context, h *inventory.Handle, images []string, report event.Reporter) ([]string, error) {
	if m.Imported == nil || len(images) == 0 {
		return images, nil
	}
	lacking, err := m.Inventory.Set.LacksImages(ctx, h.Record.Flavor, images)
	if err != nil || len(lacking) == 0 { // the engine reports its errors when it saves the images
		return images, ctx.Err()
	}
	lost, err := m.Imported.Load(ctx, h.Ref(), lacking, report)
	return slices.DeleteFunc(images, func(i string) bool { return slices.Contains(lacking, i) && !slices.Contains(lost, i) }), err
}

// isArchive reports whether a source is an archive: its content begins like one, or it is a path that
// cannot be the name of an image. A directory or a text file may have the name of an image.
func isArchive(source string) bool {
	for _, suffix := range []string{".tar", ".tgz", ".gz", ".zst"} {
		if strings.HasSuffix(source, suffix) {
			return true
		}
	}
	if filepath.IsAbs(source) || strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") {
		return true
	}
	file, err := os.Open(source)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, 512) // the header of a tar, whose magic number is at 257
	n, _ := io.ReadFull(file, start)
	start = start[:n]
	return bytes.HasPrefix(start, []byte{0x1f, 0x8b}) || bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(start) > 262 && string(start[257:262]) == "ustar"
}

// spooled returns a file that can be read more than once, which a pipe cannot. done removes it. It is
// in dir, the directory of the cluster, and so is removed with the cluster if lab is killed.
func spooled(dir, source string) (path string, done func(), err error) {
	info, err := os.Stat(source)
	if err != nil || info.Mode().IsRegular() || info.IsDir() {
		return source, func() {}, nil // the flavor reports what is wrong with it, or that it cannot load images
	}
	from, err := os.Open(source)
	if err != nil {
		return "", nil, err
	}
	defer from.Close()
	dir, err = os.MkdirTemp(dir, "images-")
	if err != nil {
		return "", nil, err
	}
	path, done = filepath.Join(dir, "images.tar"), func() { _ = os.RemoveAll(dir) }
	to, err := os.Create(path)
	if err == nil {
		_, err = io.Copy(to, from)
		err = errors.Join(err, to.Close())
	}
	if err != nil {
		done()
		return "", nil, fmt.Errorf("read %s: %w", source, err)
	}
	return path, done, nil
}

// loadNamed loads images of the engine. It saves all into one archive, which has shared layers once.
func (m *Images) loadNamed(ctx context.Context, h *inventory.Handle, images []string, report event.Reporter) error {
	dir, err := os.MkdirTemp(m.Inventory.State.Dir(h.Record.Name), "images-") // removed with the cluster if lab is killed
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archive, all := filepath.Join(dir, "images.tar"), strings.Join(images, ", ")
	err = report.Do("Saving "+all, func(*event.Step) error {
		return m.Inventory.Set.SaveImages(ctx, h.Record.Flavor, images, archive)
	})
	if err != nil {
		return err
	}
	return m.loadArchive(ctx, h, archive, "Loading "+all, report)
}

func (m *Images) loadArchive(ctx context.Context, h *inventory.Handle, archive, step string, report event.Reporter) error {
	return report.Do(step, func(*event.Step) error { return m.Inventory.Set.LoadImages(ctx, h.Ref(), archive) })
}
