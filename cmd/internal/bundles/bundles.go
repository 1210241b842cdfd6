// Package bundles writes everything that clusters need into one file, and lets a machine without a network create
// clusters from it: charts, images, tools, and lab itself.
package bundles

import (
	"context"
	"errors"
	"fmt"
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

// The names of the pins of bundles in the store begin with one of these. An import has a separate pin until it is
// complete, so that one that fails leaves an older bundle of the same name as it was.
const (
	pinPrefix    = "bundle/"
	importPrefix = "import/"
)

// List is a list of bundles.
type List struct {
	output.Meta
	Items []Entry `json:"items"`
}

// Entry is a bundle on this machine.
type Entry struct {
	Bundle
	Complete bool   `json:"complete"`          // whether its import has ended
	Problem  string `json:"problem,omitempty"` // why it cannot be read

	root ocispec.Descriptor
	err  error // the problem
}

// List returns the bundles on this machine, by name.
func (b *Bundles) List(ctx context.Context) (List, error) {
	list := List{Meta: output.NewMeta("BundleList"), Items: []Entry{}}
	pins, err := b.Store.Pins(ctx)
	if err != nil {
		return list, err
	}
	roots := map[string]ocispec.Descriptor{}
	for _, prefix := range []string{importPrefix, pinPrefix} { // a bundle hides an import that replaces it
		for pin, root := range pins {
			if name, ok := strings.CutPrefix(pin, prefix); ok {
				roots[name] = root
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(roots)) {
		list.Items = append(list.Items, b.entry(ctx, name, roots[name]))
	}
	return list, ctx.Err()
}

// entry returns the bundle with a root. If it cannot be read, its problem says why, and the list has all others.
func (b *Bundles) entry(ctx context.Context, name string, root ocispec.Descriptor) Entry {
	e := Entry{Bundle: Bundle{Name: name, Digest: root.Digest}, root: root}
	data, err := content.FetchAll(ctx, b.Store, root)
	if errors.Is(err, errdef.ErrNotFound) {
		return e
	}
	if err != nil {
		return e.with(fault.Errorf(fault.ErrForeign, "%w", err))
	}
	bundle, err := decode(data)
	if err != nil {
		return e.with(err)
	}
	e.Bundle = bundle
	e.Name = name
	missing, err := b.Store.Missing(ctx, root)
	if err != nil { // Verify names the item
		e.Problem = err.Error()
	}
	e.Complete = err == nil && len(missing) == 0
	return e
}

func (e Entry) with(err error) Entry {
	e.err, e.Problem = err, err.Error()
	return e
}

// readable returns the problem of a bundle that cannot be read.
func (e Entry) readable() error {
	if e.err == nil {
		return nil
	}
	hint := "import it again: lab bundle import FILE; or remove it: lab bundle remove " + e.Name
	return fault.WithHint(fmt.Errorf("cannot read the bundle %s: %w", e.Name, e.err), "%s", orHint(e.err, hint))
}

// Get returns a bundle on this machine. It returns ErrNotFound if no bundle has that name.
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
	if err := entry.readable(); err != nil {
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

// Remove removes a bundle, and its content that nothing else needs. It returns ErrNotFound if there is no bundle of that
// name.
func (b *Bundles) Remove(ctx context.Context, name string) error {
	if _, err := b.Get(ctx, name); err != nil {
		return err
	}
	return b.Store.Drop(ctx, pinPrefix+name, importPrefix+name)
}
