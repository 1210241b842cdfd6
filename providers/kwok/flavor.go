package kwok

import "github.com/clusterlab-dev/lab/providers"

// Flavor returns the flavor kwok. It pulls no images, so nothing of it is configurable.
func Flavor() providers.Flavor {
	return providers.Flavor{
		Name: Name,
		New: func(s providers.Setup) providers.Provider {
			return New(Options{Dir: s.Dir, BinDirs: s.BinDirs})
		},
	}
}
