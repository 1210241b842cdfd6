// Package bundles writes everything that clusters need into one file, and lets a machine without a network create
// clusters from it: charts, images, tools, and lab itself.
package bundles

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Bundles creates, imports, lists, verifies, removes and serves bundles.
type Bundles struct {
	Store    *store.Store
	Set      *providers.Set
	Clusters *clusters.Clusters
	Tools    tools.Installer
	Dir      string // for temporary files
	Platform string // of this machine: "linux/amd64"
	Lab      string // the version of lab

	Programs   func() []string   // the paths of lab and of the files that belong to it
	Registries map[string]string // mirrors, by the registry that they replace

	KeepChart func(addons.Chart, []byte) error         // puts a chart into the cache of charts
	Client    func(ca []byte) (download.Client, error) // for registries and servers; trusts these certificates (PEM), too
	Missing   func(program string) bool                // reports whether a program that belongs to lab is not installed
}

// pinPrefix begins the names of the pins of bundles in the store.
const pinPrefix = "bundle/"

// List is a list of bundles.
type List struct {
	output.Meta
	Items []Entry `json:"items"`
}

// Entry is a bundle on this machine.
type Entry struct {
	Bundle
	Complete bool `json:"complete"` // whether its import has ended

	root ocispec.Descriptor
}

// List returns the bundles on this machine, by name.
func (b *Bundles) List(ctx context.Context) (List, error) {
	list := List{Meta: output.NewMeta("BundleList"), Items: []Entry{}}
	pins, err := b.Store.Pins(ctx)
	if err != nil {
		return list, err
	}
	for _, pin := range slices.Sorted(maps.Keys(pins)) {
		name, ok := strings.CutPrefix(pin, pinPrefix)
		if !ok {
			continue
		}
		entry, err := b.entry(ctx, name, pins[pin])
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, entry)
	}
	return list, nil
}

func (b *Bundles) entry(ctx context.Context, name string, root ocispec.Descriptor) (Entry, error) {
	data, err := content.FetchAll(ctx, b.Store, root)
	if errors.Is(err, errdef.ErrNotFound) {
		return Entry{Bundle: Bundle{Name: name, Digest: root.Digest}, root: root}, nil
	}
	if err != nil {
		return Entry{}, fault.Errorf(fault.ErrForeign, "cannot read the bundle %s: %w", name, err)
	}
	bundle, err := decode(data)
	if err != nil {
		return Entry{}, fault.WithHint(fault.Errorf(fault.ErrInvalid, "cannot read the bundle %s: %w", name, err), "remove it: lab bundle remove %s", name)
	}
	missing, err := b.Store.Missing(ctx, root) // an error means that a manifest is damaged
	return Entry{bundle, err == nil && len(missing) == 0, root}, ctx.Err()
}

// Get returns a bundle on this machine. It returns ErrNotFound if there is none of that name.
func (b *Bundles) Get(ctx context.Context, name string) (Entry, error) {
	list, err := b.List(ctx)
	if err != nil {
		return Entry{}, err
	}
	var names []string
	for _, entry := range list.Items {
		if entry.Name == name {
			return entry, nil
		}
		names = append(names, entry.Name)
	}
	err = fault.Errorf(fault.ErrNotFound, "there is no bundle %q on this machine", name)
	if near := fault.Nearest(name, names); near != "" {
		return Entry{}, fault.WithHint(err, "did you mean %s?", near)
	}
	return Entry{}, fault.WithHint(err, "list the bundles: lab bundle list; import one: lab bundle import FILE")
}

// Verify reads all content of a bundle on this machine. It returns ErrForeign for the first content that is missing or
// damaged, and ErrNotFound if there is no bundle of that name.
func (b *Bundles) Verify(ctx context.Context, name string) (Bundle, error) {
	entry, err := b.Get(ctx, name)
	if err != nil {
		return Bundle{}, err
	}
	owner := owners(ctx, b.Store, entry.Bundle)
	var first error
	err = b.Store.Verify(ctx, entry.root, func(d ocispec.Descriptor, err error) {
		if err != nil && first == nil {
			first = fault.Errorf(fault.ErrForeign, "bundle %s: %s: %w", name, entry.describe(owner, d.Digest), err)
		}
	})
	if first != nil {
		return Bundle{}, fault.WithHint(first, "import the bundle again: lab bundle import FILE")
	}
	return entry.Bundle, err
}

// Remove removes a bundle, and from the disk what nothing else needs. It returns ErrNotFound if there is no bundle of
// that name.
func (b *Bundles) Remove(ctx context.Context, name string) error {
	entry, err := b.Get(ctx, name)
	if err != nil {
		return err
	}
	before, err := b.Store.Usage(ctx)
	if err != nil {
		return err
	}
	for _, item := range entry.Items {
		if tagged, err := b.Store.Resolve(ctx, item.Name); err == nil && tagged.Digest == item.Digest {
			if err := b.Store.Untag(ctx, item.Name); err != nil {
				return err
			}
		}
	}
	if err := b.Store.Unpin(ctx, pinPrefix+name); err != nil {
		return err
	}
	after, err := b.Store.Usage(ctx)
	if err != nil {
		return err
	}
	_, err = b.Store.Prune(ctx, before.Bytes-(before.Pinned-after.Pinned))
	return err
}
