package minikube

import "github.com/clusterlab-dev/lab/providers"

// Flavor returns the flavor minikube.
func Flavor() providers.Flavor {
	var o Options
	return providers.Flavor{
		Name: Name,
		Keys: []providers.Key{
			{Path: "images.minikube.base", Variable: "LAB_IMAGES_MINIKUBE_BASE", Doc: "the image of the nodes", Text: &o.BaseImage},
			{Path: "minikube.extraArgs", Variable: "LAB_MINIKUBE_EXTRA_ARGS", Doc: "flags of minikube start, which a cluster's own settings override", List: &o.ExtraArgs},
		},
		New: func(s providers.Setup) providers.Provider {
			o.Dir, o.BinDirs, o.CAFile, o.Registries, o.Cache = s.Dir, s.BinDirs, s.CAFile, s.Registries, s.Cache
			return New(o)
		},
	}
}
