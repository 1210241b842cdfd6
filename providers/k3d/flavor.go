package k3d

import "github.com/clusterlab-dev/lab/providers"

// imageVariable is the environment variable that sets the node image.
const imageVariable = "LAB_IMAGES_K3D_NODE"

// Flavor returns the flavor k3d.
func Flavor() providers.Flavor {
	var o Options
	return providers.Flavor{
		Name: Name,
		Keys: []providers.Key{
			{Path: "images.k3d.node", Variable: imageVariable, Doc: "the node image", Text: &o.NodeImage},
			{Path: "images.k3d.tools", Variable: "LAB_IMAGES_K3D_TOOLS", Doc: "the image of k3d's tools container", Text: &o.ToolsImage},
			{Path: "images.k3d.loadBalancer", Variable: "LAB_IMAGES_K3D_LOAD_BALANCER", Doc: "the image of the load balancer", Text: &o.LoadBalancerImage},
		},
		New: func(s providers.Setup) providers.Provider {
			o.CAFile, o.Registries, o.Cache = s.CAFile, s.Registries, s.Cache
			return New(o)
		},
	}
}
