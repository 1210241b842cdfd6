package kind

import (
	"context"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// setImages sets the image of every node, and returns an error if native has another one.
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

// nodeImage returns the image that spec requests: by its name, or by the version of Kubernetes,
// which is the tag of kind's images.
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

// Versions returns the versions of Kubernetes of the local node images and of the default one.
func (p *Provider) Versions(ctx context.Context) ([]string, error) {
	return nodes.Versions(ctx, p.opts.NodeImage)
}

// NodeImages implements [providers.NodeImager].
func (p *Provider) NodeImages(spec providers.Spec) ([]string, error) {
	config, err := configFor(spec, p.opts.NodeImage)
	if err != nil {
		return nil, err
	}
	return nodes.Names(imagesOf(config)), nil
}

// imagesOf returns the images that a cluster is created from.
func imagesOf(c *v1alpha4.Cluster) []nodes.Image {
	var names []string
	for _, n := range c.Nodes {
		names = append(names, n.Image)
	}
	if controlPlanes(c.Nodes) > 1 {
		names = append(names, balancerImage)
	}
	return nodes.Images(imageVariable, names...)
}

// allowCgroupV1 has the kubelet accept cgroup v1, and reports whether it changed the
// configuration: older versions accept it by default.
func allowCgroupV1(c *v1alpha4.Cluster) bool {
	_, tag := docker.SplitImage(firstControlPlane(c).Image)
	if !nodes.WantsCgroupV2(tag) {
		return false
	}
	c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, patchCgroupV1)
	return true
}
