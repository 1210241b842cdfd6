package bundles

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Place is where this machine has something.
type Place string

// The places. They are part of lab's JSON output.
const (
	Nowhere      Place = ""
	InEngine     Place = "engine" // the container engine of the flavor
	InBundle     Place = "bundle"
	InImageCache Place = "imageCache"
	InChartCache Place = "chartCache"
	InToolsDir   Place = "toolsDirectory"
)

// Need is one thing that a cluster takes from networks, or from this machine if that has it.
type Need struct {
	Kind     Kind   `json:"kind"`
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	Place    Place  `json:"place,omitempty"` // where this machine has it
	Download bool   `json:"download"`        // whether it would be downloaded
	Size     *int64 `json:"sizeBytes"`       // of what would be downloaded, or else of the item; null if it is not known
}

// Needs is what a cluster takes from networks.
type Needs struct {
	Flavor  string   `json:"flavor"`
	Items   []Need   `json:"items"`
	Size    int64    `json:"downloadBytes"`   // the known sizes of what would be downloaded
	Unknown int      `json:"unknownSizes"`    // how many items would be downloaded whose size is not known
	Notes   []string `json:"notes,omitempty"` // what Items does not contain
}

// Needs returns what a bundle of a request would contain, except the programs of lab, and which of it is on this machine.
// It does not use the network. Errors are those of [clusters.Clusters.LocalContents], and ErrNotFound for unknown tools.
func (b *Bundles) Needs(ctx context.Context, q Request) (Needs, error) {
	contents, err := b.Clusters.LocalContents(ctx, q.Cluster)
	if err != nil {
		return Needs{}, err
	}
	return b.needs(ctx, q, contents)
}

// needs returns the needs of a cluster with these contents.
func (b *Bundles) needs(ctx context.Context, q Request, contents clusters.Contents) (Needs, error) {
	list, err := b.List(ctx)
	if err != nil {
		return Needs{}, err
	}
	n := &finder{Bundles: b, Needs: Needs{Flavor: contents.Flavor, Items: []Need{}}, list: list}
	n.nodeImages(ctx, contents)
	n.charts(contents)
	n.images(ctx, contents)
	if err := n.tools(ctx, q); err != nil {
		return Needs{}, err
	}
	return n.Needs, ctx.Err()
}

// finder looks for what a cluster needs on this machine.
type finder struct {
	*Bundles
	Needs
	list List // of the bundles on this machine
}

// add adds an item, unless the list has it.
func (n *finder) add(need Need) {
	for _, has := range n.Items {
		if has.Kind == need.Kind && has.Name == need.Name {
			return
		}
	}
	n.Items = append(n.Items, need)
	switch {
	case !need.Download:
	case need.Size == nil:
		n.Unknown++
	default:
		n.Size += *need.Size
	}
}

func (n *finder) note(format string, args ...any) {
	n.Notes = append(n.Notes, fmt.Sprintf(format, args...))
}

// nodeImages adds the images of the nodes. The engine needs them.
func (n *finder) nodeImages(ctx context.Context, contents clusters.Contents) {
	if contents.ToolImages {
		n.note("only %s knows what it downloads for the nodes", contents.Flavor)
	}
	for _, image := range contents.NodeImages {
		need := Need{Kind: KindNodeImage, Name: fullName(image), Place: InEngine}
		_, items, lacks, err := n.findNodeImages(ctx, contents.Flavor, []string{image})
		switch {
		case err != nil:
			n.note("cannot ask the container engine for %s: %s", image, fault.FirstLine(err))
			need = n.image(ctx, KindNodeImage, image)
		case len(items) > 0:
			need.Place, need.Size = InBundle, &items[0].Size
		case len(lacks) > 0:
			need = n.image(ctx, KindNodeImage, image)
			need.Place, need.Download = Nowhere, true // the engine does not ask the image cache
		}
		n.add(need)
	}
}

// image returns the need of an image that no engine has.
func (n *finder) image(ctx context.Context, kind Kind, image string) Need {
	need := Need{Kind: kind, Name: fullName(image), Download: true}
	if item, ok := n.list.complete(need.Name, KindImage, KindNodeImage); ok {
		need.Place, need.Download, need.Size = InBundle, false, &item.Size
		return need
	}
	platform := imagesOf(n.Platform)
	d, err := oras.Resolve(ctx, n.Store, need.Name, oras.ResolveOptions{TargetPlatform: &platform})
	if err != nil {
		return need
	}
	missing, err := n.Store.Missing(ctx, d)
	if err != nil {
		return need
	}
	size := sizeOf(missing)
	if len(missing) == 0 {
		need.Place, need.Download = InImageCache, false
		if below, err := tree(ctx, n.Store, d); err == nil {
			size = sizeOf(below)
		}
	}
	need.Size = &size
	return need
}

// images adds the images that the addons pull. The nodes need them: those of the engine do not help.
func (n *finder) images(ctx context.Context, contents clusters.Contents) {
	var names []string
	for _, image := range contents.Images {
		names = append(names, image.Name)
	}
	if len(names) == 0 {
		return
	}
	lacks, err := n.Set.LacksImages(ctx, contents.Flavor, names)
	for _, name := range names {
		need := n.image(ctx, KindImage, name)
		if need.Place == Nowhere && err == nil && !slices.Contains(lacks, name) {
			need.Place = InEngine
		}
		n.add(need)
	}
}

// charts adds the charts of the addons.
func (n *finder) charts(contents clusters.Contents) {
	for _, release := range contents.Releases {
		if a := release.Addon; !isLocal(a.Chart) {
			size := int64(len(release.Chart.Data))
			n.add(Need{Kind: KindChart, Name: a.Name, Version: a.Chart.Version, Place: InChartCache, Size: &size})
		}
	}
	for _, a := range contents.Uncached {
		n.add(Need{Kind: KindChart, Name: a.Name, Version: a.Chart.Version, Download: true})
		n.note("the images of %s are not known until its chart is on this machine: lab addon images %s downloads it", a.Name, a.Name)
	}
}

// tools adds the tools that `lab tools install` installs.
func (n *finder) tools(ctx context.Context, q Request) error {
	picked, err := n.picked(q)
	if err != nil {
		return err
	}
	for _, tool := range picked {
		file, ok := tool.Files[n.Platform]
		if !ok {
			continue
		}
		need := Need{Kind: KindTool, Name: tool.Name, Version: tool.Version, Download: true}
		if held, err := n.Bundles.Tools.Held(tool); err == nil && held == tool.Version {
			need.Place, need.Download = InToolsDir, false
		} else if blob, err := n.Store.Open(ctx, digest.NewDigestFromEncoded(digest.SHA256, file.SHA256)); err == nil {
			size := blob.Size()
			need.Place, need.Download, need.Size = InBundle, false, &size
			_ = blob.Close()
		}
		n.add(need)
	}
	return nil
}
