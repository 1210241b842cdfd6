package kind

import (
	"context"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// setImages gives every node its image, and refuses to overrule native.
func setImages(c *v1alpha4.Cluster, spec providers.Spec, image string) error {
	asked := spec.NodeImage != "" || spec.KubernetesVersion != ""
	image = nodeImage(spec, image)
	for i := range c.Nodes {
		switch own := c.Nodes[i].Image; {
		case own == "":
			c.Nodes[i].Image = image
		case asked && own != image:
			return conflict("node %d has the image %s, but %s is requested", i+1, own, image)
		}
	}
	return nil
}

// nodeImage returns the image that spec asks for: by its name, or by the version of
// Kubernetes, which is the tag of kind's images.
func nodeImage(spec providers.Spec, image string) string {
	if spec.NodeImage != "" {
		return spec.NodeImage
	}
	repository, tag := docker.SplitImage(image)
	if spec.KubernetesVersion == "" || spec.KubernetesVersion == tag {
		return image
	}
	return repository + ":" + spec.KubernetesVersion
}

// Versions returns the versions of Kubernetes of the node images that are here, and of the
// default one.
func (p *Provider) Versions(ctx context.Context) ([]string, error) {
	return nodes.Versions(ctx, p.opts.NodeImage)
}

// imagesOf returns the images that making the cluster needs.
func imagesOf(c *v1alpha4.Cluster) []string {
	var images []string
	seen := map[string]bool{}
	for _, n := range c.Nodes {
		if !seen[n.Image] {
			images = append(images, n.Image)
		}
		seen[n.Image] = true
	}
	if controlPlanes(c.Nodes) > 1 {
		images = append(images, balancerImage)
	}
	return images
}

// forCgroupV1 adds what the kubelet needs on a machine with cgroup v1, and tells
// whether it did: versions that are known to do without are left alone.
func forCgroupV1(c *v1alpha4.Cluster) bool {
	_, tag := docker.SplitImage(firstControlPlane(c).Image)
	if !nodes.WantsCgroupV2(tag) {
		return false
	}
	c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, patchCgroupV1)
	return true
}
