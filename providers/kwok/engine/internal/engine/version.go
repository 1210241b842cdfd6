package engine

import (
	"runtime/debug"

	"k8s.io/component-base/version"
)

// KubernetesVersion is what `kubectl version` says of the server: "v1.37.2".
func KubernetesVersion() string { return version.Get().GitVersion }

// KwokVersion is the version of KWOK that is linked in, or "" where the build does
// not tell.
func KwokVersion() string { return moduleVersion("sigs.k8s.io/kwok") }

// Version is the engine's own, or "(devel)".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return ""
}
