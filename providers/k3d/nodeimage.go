package k3d

import (
	"context"
	"strings"

	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// setImage gives the nodes their image, and refuses to overrule native.
func setImage(c *v1alpha5.SimpleConfig, spec providers.Spec, image string) error {
	asked := spec.NodeImage != "" || spec.KubernetesVersion != ""
	image = nodeImage(spec, image)
	switch {
	case c.Image == "":
		c.Image = image
	case asked && c.Image != image:
		return conflict("it has the image %s, but %s is requested", c.Image, image)
	}
	return nil
}

// nodeImage returns the image that spec asks for: by its name, or by the version of
// Kubernetes, of which the first release of k3s is taken where none is named.
func nodeImage(spec providers.Spec, image string) string {
	version := spec.KubernetesVersion
	if spec.NodeImage != "" {
		return spec.NodeImage
	}
	repository, tag := docker.SplitImage(image)
	if version == "" || version == tag || strings.HasPrefix(tag, version+"-k3s") {
		return image
	}
	if !strings.Contains(version, "-k3s") {
		version += "-k3s1"
	}
	return repository + ":" + version
}

// Versions returns the versions of Kubernetes of the node images that are here, and of the
// default one.
func (p *Provider) Versions(ctx context.Context) ([]string, error) {
	return nodes.Versions(ctx, p.opts.NodeImage)
}

// allowCgroupV1 adds what the kubelet needs on a machine with cgroup v1, and tells whether
// it did: versions that are known to do without are left alone.
func allowCgroupV1(c *v1alpha5.SimpleConfig) bool {
	_, tag := docker.SplitImage(c.Image)
	if !nodes.WantsCgroupV2(tag) {
		return false
	}
	addArg(c, "--kubelet-arg=fail-cgroupv1=false", everyServer, everyAgent)
	return true
}
