package bundles

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// find returns the items of all bundles on this machine that are images with these names, and the names that no bundle
// has.
func (b *Bundles) find(ctx context.Context, images []string, kinds ...Kind) (items []Item, lacks []string, err error) {
	list, err := b.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, image := range images {
		if item, ok := list.complete(fullName(image), kinds...); ok {
			items = append(items, item)
		} else {
			lacks = append(lacks, image)
		}
	}
	return items, lacks, nil
}

// complete returns the item with a name and one of kinds of the first bundle that has all of its content.
func (l List) complete(name string, kinds ...Kind) (Item, bool) {
	for _, entry := range l.Items {
		if item, ok := entry.named(name, kinds...); ok && entry.Complete {
			return item, true
		}
	}
	return Item{}, false
}

// withArchive calls do with an archive of images, which is removed afterwards.
func (b *Bundles) withArchive(ctx context.Context, items []Item, do func(file string) error) error {
	dir, err := os.MkdirTemp(b.Dir, "lab-bundle-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file, err := os.Create(filepath.Join(dir, "images.tar"))
	if err != nil {
		return err
	}
	if err := errors.Join(writeArchive(ctx, b.Store, items, file), file.Close()); err != nil {
		return lost(err, "import the bundle again: lab bundle import FILE")
	}
	return do(file.Name())
}

// NodeImages loads the images that the engine of a flavor lacks, and returns the names that all of them have in the
// engine. It returns ErrUnavailable if neither the engine nor a bundle has one of them.
func (b *Bundles) NodeImages(ctx context.Context, flavor string, images []string, report event.Reporter) ([]string, error) {
	names, items, lacks, err := b.findNodeImages(ctx, flavor, images)
	if err == nil {
		err = noNodeImages(flavor, lacks)
	}
	if err != nil || len(items) == 0 {
		return names, err
	}
	return names, b.loadEngine(ctx, flavor, items, report)
}

// CheckNodeImages returns the error of NodeImages, and loads nothing.
func (b *Bundles) CheckNodeImages(ctx context.Context, flavor string, images []string) error {
	_, _, lacks, err := b.findNodeImages(ctx, flavor, images)
	if err != nil {
		return err
	}
	return noNodeImages(flavor, lacks)
}

// noNodeImages returns the error of images that this machine lacks.
func noNodeImages(flavor string, lacks []string) error {
	if len(lacks) == 0 {
		return nil
	}
	err := fault.Errorf(fault.ErrUnavailable, "%s: neither the container engine nor a bundle on this machine has it, and --offline is set", strings.Join(lacks, ", "))
	return fault.WithHint(err, "create a bundle where a network is: lab bundle create FILE --flavor %s; then, here: lab bundle import FILE", flavor)
}

// findNodeImages returns the names under which the engine of a flavor has images, or will have them; the items of
// bundles for those that the engine lacks; and those that neither has.
func (b *Bundles) findNodeImages(ctx context.Context, flavor string, images []string) (names []string, items []Item, lacks []string, err error) {
	names = slices.Clone(images)
	lacking, err := b.Set.LacksImages(ctx, flavor, images)
	if err != nil || len(lacking) == 0 {
		return names, nil, nil, err
	}
	for i, name := range names { // under its tag, the engine may have it
		if slices.Contains(lacking, name) {
			names[i] = withoutDigest(name)
		}
	}
	if lacking, err = b.Set.LacksImages(ctx, flavor, names); err != nil || len(lacking) == 0 {
		return names, nil, nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(images), func(name string) bool { return !slices.Contains(lacking, withoutDigest(name)) })
	items, lacks, err = b.find(ctx, wanted, KindNodeImage, KindImage)
	return names, items, lacks, err
}

// loadEngine loads images into the engine of a flavor.
func (b *Bundles) loadEngine(ctx context.Context, flavor string, items []Item, report event.Reporter) error {
	return report.Do("Loading the node images", func(*event.Step) error {
		return b.withArchive(ctx, items, func(file string) error { return b.Set.KeepImages(ctx, flavor, file) })
	})
}

// Lacks returns the images that Load would return, and loads nothing.
func (b *Bundles) Lacks(ctx context.Context, images []string) ([]string, error) {
	_, lacks, err := b.find(ctx, images, KindImage)
	return lacks, err
}

// Load loads the images that bundles on this machine have into the nodes of a cluster, and returns the others.
func (b *Bundles) Load(ctx context.Context, ref providers.Ref, images []string, report event.Reporter) (lacks []string, err error) {
	items, lacks, err := b.find(ctx, images, KindImage)
	if err != nil || len(items) == 0 {
		return lacks, err
	}
	return lacks, report.Do("Loading images from bundles", func(*event.Step) error {
		return b.withArchive(ctx, items, func(file string) error { return b.Set.LoadImages(ctx, ref, file) })
	})
}

// keepNodeImages loads the node images of a bundle that the engines of its flavors lack, so that lab finds those flavors
// usable. An engine that does not answer gets them when `lab up --offline` needs them.
func (b *Bundles) keepNodeImages(ctx context.Context, bundle Bundle, report event.Reporter) error {
	var items []Item
	var names []string
	for _, item := range bundle.Items {
		if item.Kind == KindNodeImage {
			items, names = append(items, item), append(names, withoutDigest(item.Name))
		}
	}
	if len(items) == 0 {
		return nil
	}
	for _, flavor := range bundle.Flavors {
		lacking, err := b.Set.LacksImages(ctx, flavor, names)
		if err != nil { // no engine, or none that answers
			continue
		}
		wanted := slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return !slices.Contains(lacking, withoutDigest(i.Name)) })
		if len(wanted) == 0 {
			continue
		}
		if err := b.loadEngine(ctx, flavor, wanted, report); err != nil {
			return err
		}
	}
	return ctx.Err()
}
