package bundles

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

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Request is what a bundle must contain.
type Request struct {
	Name     string
	Cluster  clusters.UpRequest
	Flavors  []string // "" is the flavor of Cluster, or the usual one
	Platform string   // "" is that of this machine
	Tools    []string // names of tools; empty means all
	NoTools  bool
	Images   []string // further images
	From     string   // an existing cluster: the bundle has what it uses, and what Cluster adds to that; Flavors is empty
	CA       []byte   // PEM of certificates that are trusted in addition to those of the system
}

// Create fetches what a bundle must contain, stores it on this machine, and returns the bundle. Images come from the
// engine of the flavor, or from their registries. Errors: those of [clusters.Clusters.Contents] and
// [clusters.Clusters.Like]; ErrNotFound for images and tools that do not exist; ErrUnavailable if a registry cannot be
// reached.
func (b *Bundles) Create(ctx context.Context, q Request, report event.Reporter) (bundle Bundle, err error) {
	if problem := nameProblem(q.Name); problem != "" {
		return Bundle{}, fault.WithHint(fault.Errorf(fault.ErrInvalid, "%s", problem), "choose another name: --name NAME")
	}
	if q.Platform == "" {
		q.Platform = b.Platform
	}
	b, release, err := b.leased(ctx)
	if err != nil {
		return Bundle{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	c := &collector{Bundles: b, q: q, report: report, bundle: Bundle{Name: q.Name, Platform: q.Platform, Lab: b.Lab}}
	if err := c.like(ctx); err != nil {
		return Bundle{}, err
	}
	if err := c.clusters(ctx); err != nil {
		return Bundle{}, err
	}
	if err := c.tools(ctx); err != nil {
		return Bundle{}, err
	}
	if err := c.programs(ctx); err != nil {
		return Bundle{}, err
	}
	return c.finish(ctx)
}

// leased returns b for work whose content no other lab process may remove before release is called.
func (b *Bundles) leased(ctx context.Context) (leased *Bundles, release func() error, err error) {
	held := *b
	held.Store, release, err = b.Store.Lease(ctx)
	return &held, release, err
}

// Write writes a bundle of this machine to w. report may be nil.
func (b *Bundles) Write(ctx context.Context, bundle Bundle, w io.Writer, report event.Reporter) error {
	_, root, err := encode(bundle)
	if err != nil {
		return err
	}
	return report.Do("Writing the bundle "+bundle.Name, func(step *event.Step) error {
		err := b.write(ctx, w, root, func(done int64) {
			step.Progress(fmt.Sprintf("%s of %s", event.Size(done), event.Size(bundle.Size)))
		})
		return lost(err, "run the command again: it fetches what is missing")
	})
}

// collector collects the items of a bundle.
type collector struct {
	*Bundles
	q      Request
	report event.Reporter
	bundle Bundle

	running []probe.PodImage         // that the pods of the cluster q.From run
	pulled  map[string]digest.Digest // by the full name of an image: what the nodes of that cluster pulled
}

// clusters adds everything that lab fetches to create a cluster of each flavor.
func (c *collector) clusters(ctx context.Context) error {
	flavors := c.q.Flavors
	if len(flavors) == 0 {
		flavors = []string{c.q.Cluster.Flavor}
	}
	for _, flavor := range flavors {
		q := c.q.Cluster
		q.Flavor = flavor
		contents, err := c.Clusters.Contents(ctx, q)
		if err != nil {
			return err
		}
		c.bundle.Flavors = append(c.bundle.Flavors, contents.Flavor)
		if err := c.contents(ctx, contents); err != nil {
			return err
		}
	}
	if err := c.podImages(ctx); err != nil {
		return err
	}
	for _, image := range c.q.Images {
		if err := c.image(ctx, KindImage, image, c.bundle.Flavors[0]); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) contents(ctx context.Context, contents clusters.Contents) error {
	for _, image := range contents.NodeImages {
		if err := c.image(ctx, KindNodeImage, image, contents.Flavor); err != nil {
			return err
		}
	}
	for _, release := range contents.Releases {
		if err := c.chart(ctx, release); err != nil {
			return err
		}
	}
	for _, image := range contents.Images {
		if err := c.image(ctx, KindImage, image.Name, contents.Flavor); err != nil {
			return err
		}
	}
	return nil
}

// add adds an item. Its size is that of the content that its manifest references.
func (c *collector) add(ctx context.Context, item Item) error {
	below, err := tree(ctx, c.Store, item.manifest)
	if err != nil {
		return err
	}
	item.Digest, item.Size = item.manifest.Digest, sizeOf(below)
	item.manifest.Annotations = nil
	c.bundle.Items = append(c.bundle.Items, item)
	return nil
}

func (c *collector) has(kind Kind, name string) bool {
	return slices.ContainsFunc(c.bundle.Items, func(i Item) bool { return i.Kind == kind && i.Name == name })
}

// chart adds the chart of a release, unless the chart is part of lab or a file on this machine.
func (c *collector) chart(ctx context.Context, release addons.Release) error {
	source := release.Addon.Chart
	if isLocal(source) || c.has(KindChart, release.Addon.Name) {
		return nil
	}
	return c.artifact(ctx, Item{Kind: KindChart, Name: release.Addon.Name, Version: source.Version, Chart: &source}, release.Chart.Data)
}

// isLocal reports whether a chart is a part of lab or a file of this machine.
func isLocal(c addons.Chart) bool { return c.Builtin != "" || c.Path != "" }

// artifact stores data, and adds it as an item.
func (c *collector) artifact(ctx context.Context, item Item, data []byte) error {
	layer, err := pushBytes(ctx, c.Store, dataType, data)
	if err != nil {
		return noRoom(err)
	}
	if item.manifest, err = pushArtifact(ctx, c.Store, layer); err != nil {
		return noRoom(err)
	}
	return c.add(ctx, item)
}

// tools adds the releases of tools.
func (c *collector) tools(ctx context.Context) error {
	picked, err := c.picked(c.q)
	if err != nil || len(picked) == 0 {
		return err
	}
	client, err := c.Tools.Client(c.q.CA)
	if err != nil {
		return err
	}
	source := c.Stored(tools.Network(client))
	for _, tool := range picked {
		file, ok := tool.Files[c.q.Platform]
		if !ok {
			c.report.Warn("the bundle has no %s: lab has no checksum of it for %s", tool.Name, c.q.Platform)
			continue
		}
		err := c.report.Do("Fetching "+tool.Name+" "+tool.Version, func(step *event.Step) error {
			data, err := source(ctx, tool, file, step.Progress)
			if err != nil {
				return err
			}
			return c.artifact(ctx, Item{Kind: KindTool, Name: tool.Name, Version: tool.Version}, data)
		})
		if err != nil {
			return fault.WithHint(err, "%s", hintTools(fault.HintOf(err)))
		}
	}
	return nil
}

// picked returns the tools of a request.
func (b *Bundles) picked(q Request) ([]tools.Tool, error) {
	if q.NoTools {
		return nil, nil
	}
	catalog, err := b.Tools.Catalog()
	if err != nil {
		return nil, err
	}
	return catalog.Pick(q.Tools)
}

func hintTools(hint string) string {
	const without = "create the bundle without tools: --tools none"
	if hint == "" {
		return without
	}
	return hint + "; or " + without
}

// programs adds lab and the files that belong to it. They exist for this machine's platform only.
func (c *collector) programs(ctx context.Context) error {
	if c.q.Platform != c.Platform {
		c.report.Warn("the bundle has no lab: this one is for %s", c.Platform)
		return nil
	}
	for _, file := range c.Programs() {
		err := c.report.Do("Adding "+filepath.Base(file), func(*event.Step) error { return c.program(ctx, file) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) program(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fault.Errorf(fault.ErrUnavailable, "cannot read %s: %w", file, err)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".exe")
	if !IsProgram(name) {
		return fault.Errorf(fault.ErrInvalid, "%s is not a program of lab", file)
	}
	return c.artifact(ctx, Item{Kind: KindProgram, Name: name, Version: c.Lab}, data)
}

// image adds an image from the engine of a flavor, or else from its registry.
func (c *collector) image(ctx context.Context, kind Kind, image, flavor string) error {
	name := fullName(image)
	if c.has(kind, name) {
		return nil
	}
	return c.report.Do("Fetching "+image, func(step *event.Step) error {
		source := c.pinned(image)
		d, err := c.fromEngine(ctx, source, flavor)
		if err != nil {
			var remote error
			if d, remote = c.fromRegistry(ctx, fullName(source), step); remote != nil {
				return errors.Join(remote, onlyEngine(err))
			}
		}
		return c.add(ctx, Item{Kind: kind, Name: name, manifest: d})
	})
}

// onlyEngine returns nil for an engine that lacks an image or that does not exist.
func onlyEngine(err error) error {
	if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrUnsupported) {
		return nil
	}
	return err
}

func (c *collector) platform() ocispec.Platform { return imagesOf(c.q.Platform) }

// imagesOf returns the platform of images on machines of a platform: containers are always Linux.
func imagesOf(platform string) ocispec.Platform {
	_, architecture, _ := strings.Cut(platform, "/")
	return ocispec.Platform{OS: "linux", Architecture: architecture}
}

func (c *collector) fromEngine(ctx context.Context, image, flavor string) (ocispec.Descriptor, error) {
	dir, err := os.MkdirTemp(c.Dir, "lab-bundle-")
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "image.tar")
	if err := c.Set.SaveImages(ctx, flavor, []string{image}, file); err != nil {
		return ocispec.Descriptor{}, err
	}
	return readArchive(ctx, c.Store, file, c.platform())
}

// finish stores the root and pins it.
func (c *collector) finish(ctx context.Context) (Bundle, error) {
	var all []ocispec.Descriptor
	seen := map[string]bool{}
	for _, item := range c.bundle.Items {
		below, err := tree(ctx, c.Store, item.manifest)
		if errors.Is(err, errdef.ErrNotFound) {
			return Bundle{}, removedMeanwhile(c.bundle.Name)
		}
		if err != nil {
			return Bundle{}, err
		}
		for _, d := range below {
			if !seen[d.Digest.String()] {
				seen[d.Digest.String()] = true
				all = append(all, d)
			}
		}
	}
	c.bundle.Size = sizeOf(all)
	data, root, err := encode(c.bundle)
	if err != nil {
		return Bundle{}, err
	}
	if err := push(ctx, c.Store, root, bytes.NewReader(data)); err != nil {
		return Bundle{}, noRoom(err)
	}
	c.bundle.Digest = root.Digest
	if err := c.Store.Pin(ctx, importPrefix+c.bundle.Name, root); err != nil {
		return Bundle{}, err
	}
	return c.bundle, c.complete(ctx, c.bundle.Name, root)
}
