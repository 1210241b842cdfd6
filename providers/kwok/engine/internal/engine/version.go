package engine

import (
	"runtime/debug"
	"strings"
	_ "unsafe" // for go:linkname

	"k8s.io/component-base/version"
)

// The programs of Kubernetes tell their version from these variables, which their
// own builds set with -ldflags. Setting them from the module that is linked in
// makes `go build` enough, and go.mod the one place that says which Kubernetes it
// is. They have no exported setter: SetDynamicVersion takes no other version than
// the one that the flags gave.
var (
	//go:linkname serverVersion k8s.io/component-base/version.gitVersion
	serverVersion string
	//go:linkname serverMajor k8s.io/component-base/version.gitMajor
	serverMajor string
	//go:linkname serverMinor k8s.io/component-base/version.gitMinor
	serverMinor string
	//go:linkname serverCommit k8s.io/component-base/version.gitCommit
	serverCommit string
	//go:linkname serverTree k8s.io/component-base/version.gitTreeState
	serverTree string

	//go:linkname clientVersion k8s.io/client-go/pkg/version.gitVersion
	clientVersion string
	//go:linkname clientMajor k8s.io/client-go/pkg/version.gitMajor
	clientMajor string
	//go:linkname clientMinor k8s.io/client-go/pkg/version.gitMinor
	clientMinor string
	//go:linkname clientCommit k8s.io/client-go/pkg/version.gitCommit
	clientCommit string
)

// SetVersion makes every part of the program say which Kubernetes it is. It must
// be called before any of them is asked, so first of all in main.
func SetVersion() error {
	kubernetes := moduleVersion("k8s.io/kubernetes")
	if kubernetes == "" {
		return nil // built without modules: nothing better is known
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(kubernetes, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	serverVersion, serverMajor, serverMinor = kubernetes, major, minor
	clientVersion, clientMajor, clientMinor = kubernetes, major, minor
	serverCommit, clientCommit, serverTree = "", "", "clean"
	return version.SetDynamicVersion(kubernetes)
}

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
