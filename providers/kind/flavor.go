package kind

import "github.com/clusterlab-dev/lab/providers"

// imageVariable is the environment variable that sets the node image.
const imageVariable = "LAB_IMAGES_KIND_NODE"

// Flavor returns the flavor kind.
func Flavor() providers.Flavor {
	var o Options
	return providers.Flavor{
		Name: Name,
		Keys: []providers.Key{
			{Path: "images.kind.node", Variable: imageVariable, Doc: "the node image", Text: &o.NodeImage},
		},
		New: func(s providers.Setup) providers.Provider {
			o.Dir, o.CAFile, o.Registries, o.Cache = s.Dir, s.CAFile, s.Registries, s.Cache
			return New(o)
		},
	}
}
