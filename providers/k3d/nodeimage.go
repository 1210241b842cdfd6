package k3d

import (
	"context"
	"strings"

	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// setImage sets the image of the nodes, and returns an error if native has another one.
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

// nodeImage returns the image that spec requests: by its name, or by the version of Kubernetes,
// with the first release of k3s if the version names none.
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

// Versions returns the versions of Kubernetes of the local node images and of the default one.
func (p *Provider) Versions(ctx context.Context) ([]string, error) {
	return nodes.Versions(ctx, p.opts.NodeImage)
}

// NodeImages implements [providers.NodeImager]. It does not name the image of k3d's tools, which
// only engines in a virtual machine need.
func (p *Provider) NodeImages(spec providers.Spec) ([]string, error) {
	config, err := configFor(spec, p.opts)
	if err != nil {
		return nil, err
	}
	if config.Options.K3dOptions.DisableLoadbalancer {
		return []string{config.Image}, nil
	}
	return []string{config.Image, p.opts.LoadBalancerImage}, nil
}

// Downloads implements [providers.Downloader].
func (p *Provider) Downloads() string { return "the images of the components of k3s" }

// allowCgroupV1 has the kubelet accept cgroup v1, and reports whether it changed the
// configuration: older versions accept it by default.
func allowCgroupV1(c *v1alpha5.SimpleConfig) bool {
	_, tag := docker.SplitImage(c.Image)
	if !nodes.WantsCgroupV2(tag) {
		return false
	}
	addArg(c, "--kubelet-arg=fail-cgroupv1=false", everyServer, everyAgent)
	return true
}
