package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Variables returns the environment variables that go above the file, and for each the
// value of c that it sets. Two more hold lists: LAB_REGISTRIES is like
// "docker.io=registry.corp/docker,quay.io=registry.corp/quay", and the words of
// LAB_MINIKUBE_EXTRA_ARGS are parted by spaces.
func (c *Config) Variables() map[string]*string {
	return map[string]*string{
		"LAB_FLAVOR":                   &c.Flavor,
		"LAB_IMAGES_KIND_NODE":         &c.Images.Kind.Node,
		"LAB_IMAGES_K3D_NODE":          &c.Images.K3d.Node,
		"LAB_IMAGES_K3D_TOOLS":         &c.Images.K3d.Tools,
		"LAB_IMAGES_K3D_LOAD_BALANCER": &c.Images.K3d.LoadBalancer,
		"LAB_IMAGES_MINIKUBE_BASE":     &c.Images.Minikube.Base,
		"LAB_IMAGES_HELLO":             &c.Images.Hello,
		"LAB_CA_FILE":                  &c.CAFile,
	}
}

// override sets what the environment says.
func (c *Config) override(getenv func(string) string) error {
	variables := c.Variables()
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if value := getenv(name); value != "" {
			*variables[name] = value
		}
	}
	if args := strings.Fields(getenv("LAB_MINIKUBE_EXTRA_ARGS")); len(args) > 0 {
		c.Minikube.ExtraArgs = args
	}
	list := getenv("LAB_REGISTRIES")
	if list == "" {
		return nil
	}
	c.Registries = map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		host, mirror, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || host == "" || mirror == "" {
			return fault.WithHint(fault.Errorf(fault.ErrInvalid, "LAB_REGISTRIES: %q is not HOST=MIRROR", pair),
				"for example: export LAB_REGISTRIES=docker.io=registry.corp/docker")
		}
		c.Registries[host] = mirror
	}
	return nil
}
