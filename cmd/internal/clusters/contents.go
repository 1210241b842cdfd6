package clusters

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Contents is what the creation of a cluster, with its addons, takes from networks.
type Contents struct {
	Flavor     string
	NodeImages []string // that the nodes are created from
	Releases   []addons.Release
	Images     []addons.Image // that the addons pull

	// Only of LocalContents:
	Uncached   []addons.Addon // whose charts are not on this machine; Releases and Images do not have theirs
	ToolImages bool           // only the tool of the flavor knows the images of the nodes
}

// Contents returns what the creation of a requested cluster takes from networks. It downloads charts that are not
// cached. Without a flavor, it is that of the user's configuration, or the first. Errors: those of
// [providers.Set.NodeImages], ErrNotFound for an unknown addon, and those of the sources of charts.
func (c *Clusters) Contents(ctx context.Context, q UpRequest) (Contents, error) {
	p, all, err := c.nodeContents(q)
	if err != nil {
		return all, err
	}
	spec := q.Spec.WithDefaults()
	if all.Releases, err = c.Addons.Releases(ctx, q.Addons, p, spec); err != nil {
		return all, err
	}
	all.Images, err = c.pulled(p.Traits(spec), all.Releases)
	return all, err
}

// LocalContents is Contents as far as it is known without a network.
func (c *Clusters) LocalContents(ctx context.Context, q UpRequest) (Contents, error) {
	p, all, err := c.nodeContents(q)
	if errors.Is(err, fault.ErrUnsupported) && c.Inventory.Set.Validate(all.Flavor, q.Spec) == nil {
		all.ToolImages, err = true, nil
	}
	if err != nil {
		return all, err
	}
	spec := q.Spec.WithDefaults()
	if all.Releases, all.Uncached, err = c.Addons.CachedReleases(ctx, q.Addons, p, spec); err != nil {
		return all, err
	}
	all.Images, err = c.pulled(p.Traits(spec), all.Releases)
	return all, err
}

// nodeContents returns the provider of a request, and the images of the nodes.
func (c *Clusters) nodeContents(q UpRequest) (providers.Provider, Contents, error) {
	flavor := cmp.Or(q.Flavor, c.Flavor)
	if flavor == "" || flavor == FlavorAuto {
		flavor = c.Inventory.Set.Names()[0]
	}
	all := Contents{Flavor: flavor}
	p, err := c.Inventory.Set.Get(flavor)
	if err != nil {
		return nil, all, err
	}
	all.NodeImages, err = c.Inventory.Set.NodeImages(flavor, q.Spec.WithDefaults())
	return p, all, err
}

// pulled returns the images that releases pull on a cluster with traits. A cluster without pods pulls none.
func (c *Clusters) pulled(traits providers.Traits, releases []addons.Release) ([]addons.Image, error) {
	var all []addons.Image
	for _, release := range releases {
		if !traits.RunsPods {
			break
		}
		images, err := c.Addons.Tools.Images(release)
		if err != nil {
			return nil, err
		}
		all = append(all, images...)
	}
	return all, nil
}

// Imported has the images that were brought to this machine in files.
type Imported interface {
	// NodeImages loads those of images that the engine of a flavor lacks, and returns the names of all under which
	// the engine has them now. It returns ErrUnavailable, with a hint, if no file had one of them.
	NodeImages(ctx context.Context, flavor string, images []string, report event.Reporter) ([]string, error)

	// CheckNodeImages returns the error of NodeImages, and loads nothing.
	CheckNodeImages(ctx context.Context, flavor string, images []string) error

	// Lacks returns the images that Load would return, and loads nothing.
	Lacks(ctx context.Context, images []string) ([]string, error)

	// Load loads images into the nodes of a cluster, as far as it has them, and returns those that it lacks.
	Load(ctx context.Context, ref providers.Ref, images []string, report event.Reporter) (lacks []string, err error)
}

// offline reports whether a request takes everything from this machine.
func (c *Clusters) offline(q UpRequest) bool { return q.Addons.Offline && c.Imported != nil }

// prepare has the engine get the node images of a plan, and returns the plan with the names that the engine knows them
// by. An engine forgets digests.
func (c *Clusters) prepare(ctx context.Context, plan Plan, report event.Reporter) (Plan, error) {
	images, err := c.nodeImages(plan)
	if err != nil || len(images) == 0 {
		return plan, err
	}
	names, err := c.Imported.NodeImages(ctx, plan.Flavor, images, report.For(plan.Name))
	if err != nil {
		return plan, err
	}
	if names[0] != images[0] { // the first image is that of the nodes
		plan.Spec.NodeImage = names[0]
	}
	plan.Pulls = ""
	return plan, nil
}

// nodeImages returns the images that the nodes of a plan are created from: none if only the tool knows them.
func (c *Clusters) nodeImages(plan Plan) ([]string, error) {
	images, err := c.Inventory.Set.NodeImages(plan.Flavor, plan.Spec)
	if errors.Is(err, fault.ErrUnsupported) {
		return nil, nil
	}
	return images, err
}

// checkOffline returns a plan with the images that this machine lacks, or ErrUnavailable if an Up without a network
// would fail: the error names all charts and images of nodes that are missing.
func (c *Clusters) checkOffline(ctx context.Context, plan Plan) (Plan, error) {
	missing := c.Addons.CheckCached(ctx, plan.missing())
	if plan.creates() {
		images, err := c.nodeImages(plan)
		if err == nil && len(images) > 0 {
			err = c.Imported.CheckNodeImages(ctx, plan.Flavor, images)
		}
		missing = errors.Join(missing, err)
	}
	if missing != nil {
		return plan, missing
	}
	plan.Pulls = ""
	p, err := c.Inventory.Set.Get(plan.Flavor)
	if err != nil {
		return plan, err
	}
	images, err := plan.addons.Images(ctx, c.Addons, p.Traits(plan.Spec))
	if err == nil && len(images) > 0 {
		plan.Missing, err = c.Imported.Lacks(ctx, namesOf(images))
	}
	return plan, err
}

func namesOf(images []addons.Image) []string {
	var names []string
	for _, image := range images {
		names = append(names, image.Name)
	}
	return names
}

// loadImages loads the images of the addons of a plan into the nodes of a cluster. Images that are missing are no error:
// the nodes may have them, or reach a registry.
func (c *Clusters) loadImages(ctx context.Context, h *inventory.Handle, plan Plan, report event.Reporter) error {
	images, err := plan.addons.Images(ctx, c.Addons, h.Record.Traits)
	if err != nil || len(images) == 0 {
		return err
	}
	lacks, err := c.Imported.Load(ctx, h.Ref(), namesOf(images), report)
	if err == nil && len(lacks) > 0 {
		report.Warn("no bundle on this machine has %s: pods that need it wait until a node has it. To create a bundle that has it, "+
			"name the addons of the cluster: lab bundle create FILE --addon ADDON", strings.Join(lacks, ", "))
	}
	return err
}
