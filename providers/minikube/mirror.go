package minikube

import (
	"maps"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
)

// takesHosts reports whether mirrors can be configured in the nodes after the creation.
// Otherwise minikube configures them, and supports only one.
func takesHosts(args []string) bool {
	return last(args, flagDriver) == driverDocker && last(args, flagRuntime) == runtimeContainerd
}

// mirrors returns the flags with which minikube configures mirrors.
func (o Options) mirrors() []string {
	var args []string
	for _, host := range slices.Sorted(maps.Keys(o.Registries)) {
		if mirror := o.Registries[host]; canMirror(host, mirror) {
			args = append(args, option(flagMirror, withScheme(mirror)))
		}
	}
	return args
}

// warnOfMirrors reports which mirrors of lab's configuration are not used.
func (o Options) warnOfMirrors(args []string, report event.Reporter) {
	if takesHosts(args) {
		return
	}
	for _, host := range slices.Sorted(maps.Keys(o.Registries)) {
		if mirror := o.Registries[host]; !canMirror(host, mirror) {
			report.Start("Ignoring the mirror " + mirror + ": with this driver or runtime, minikube supports only a mirror of docker.io without a path").End(nil)
		}
	}
}

// canMirror reports whether minikube itself supports a mirror: it accepts hosts only, and only
// for Docker's own registry.
func canMirror(host, mirror string) bool {
	_, at, _ := strings.Cut(withScheme(mirror), "://")
	return host == "docker.io" && !strings.Contains(at, "/")
}

func withScheme(mirror string) string {
	if strings.Contains(mirror, "://") {
		return mirror
	}
	return "https://" + mirror
}
