package bundles

import (
	"context"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
)

// like adds to the request what the cluster c.q.From has, and remembers the images that its pods run. The first of
// several digests of an image is that of the newest pod.
func (c *collector) like(ctx context.Context) (err error) {
	if c.q.From == "" {
		return nil
	}
	if c.q.Cluster, c.running, err = c.Clusters.Like(ctx, c.q.From, c.q.Cluster, c.report); err != nil {
		return err
	}
	c.pulled = map[string]digest.Digest{}
	for _, image := range c.running {
		name, d := fullName(image.Name), pulledDigest(image)
		if c.pulled[name] == "" && d != "" {
			c.pulled[name] = d
		}
	}
	return nil
}

// podImages adds the images that the pods of the cluster run. Those that no node pulled come from the engine: they were
// loaded into the nodes, or the image of the nodes has them. It warns of those that the engine lacks, except those of the
// system, which the image of the nodes has.
func (c *collector) podImages(ctx context.Context) error {
	var lacks []string
	for _, image := range c.running {
		name := fullName(image.Name)
		if c.has(KindImage, name) || slices.Contains(lacks, name) {
			continue
		}
		if c.pulled[name] != "" {
			if err := c.image(ctx, KindImage, image.Name, c.bundle.Flavors[0]); err != nil {
				return err
			}
			continue
		}
		d, err := c.fromEngine(ctx, image.Name, c.bundle.Flavors[0])
		switch {
		case err == nil:
			if err := c.add(ctx, Item{Kind: KindImage, Name: name, manifest: d}); err != nil {
				return err
			}
		case onlyEngine(err) != nil:
			return err
		case image.Namespace != "kube-system":
			lacks = append(lacks, name)
		}
	}
	if len(lacks) > 0 {
		c.report.Warn("the bundle has only images that the nodes pulled or that the container engine has, so it lacks: %s. "+
			"Node images may contain them. To add others, name them: lab bundle create FILE --from-cluster %s --with-image IMAGE",
			strings.Join(lacks, ", "), c.q.From)
	}
	return nil
}

// pinned returns the name of an image with the digest that the nodes of the cluster pulled, or the name if they did not
// pull it.
func (c *collector) pinned(name string) string {
	d := c.pulled[fullName(name)]
	named, err := reference.ParseNormalizedNamed(name)
	if d == "" || err != nil {
		return name
	}
	return named.Name() + "@" + d.String()
}

// pulledDigest returns the digest under which a node pulled an image, or "" if the node did not pull the image from the
// repository of its name.
func pulledDigest(i probe.PodImage) digest.Digest {
	id := i.ID
	if _, after, ok := strings.Cut(id, "://"); ok { // such as docker-pullable://
		id = after
	}
	wanted, err := reference.ParseNormalizedNamed(i.Name)
	if err != nil {
		return ""
	}
	got, err := reference.ParseNormalizedNamed(id)
	if err != nil || got.Name() != wanted.Name() {
		return ""
	}
	if digested, ok := got.(reference.Digested); ok {
		return digested.Digest()
	}
	return ""
}
