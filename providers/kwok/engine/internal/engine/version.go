package engine

import (
	"runtime/debug"
	"strings"
	_ "unsafe" // for go:linkname

	"k8s.io/component-base/version"
)

// The programs of Kubernetes read their version from these variables, which the builds of Kubernetes set
// with -ldflags. SetVersion sets them from the version of the linked module, so that go.mod is the only
// place with the version of Kubernetes. The variables have no exported setter: SetDynamicVersion accepts
// only the version that the flags set.
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

// SetVersion sets the version of Kubernetes for all parts of the program. main must call it first, before
// any part reads the version.
func SetVersion() error {
	kubernetes := moduleVersion("k8s.io/kubernetes")
	if kubernetes == "" {
		return nil // built without modules, so the version is unknown
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(kubernetes, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	serverVersion, serverMajor, serverMinor = kubernetes, major, minor
	clientVersion, clientMajor, clientMinor = kubernetes, major, minor
	serverCommit, clientCommit, serverTree = "", "", "clean"
	return version.SetDynamicVersion(kubernetes)
}

// KubernetesVersion returns the server version that kubectl version prints, such as "v1.37.2".
func KubernetesVersion() string { return version.Get().GitVersion }

// KwokVersion returns the version of the linked KWOK, or "" if it is unknown.
func KwokVersion() string { return moduleVersion("sigs.k8s.io/kwok") }

// Version returns the version of the engine, or "(devel)".
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
