package minikube

import (
	"maps"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
)

// takesHosts tells whether nodes can be told afterwards what to ask in place of
// registries. Others are told by minikube, which knows of one mirror only.
func takesHosts(args []string) bool {
	return last(args, flagDriver) == driverDocker && last(args, flagRuntime) == runtimeContainerd
}

// mirrors returns the flags by which minikube is told.
func (p *Provider) mirrors() []string {
	var args []string
	for _, host := range slices.Sorted(maps.Keys(p.opts.Registries)) {
		if mirror := p.opts.Registries[host]; canMirror(host, mirror) {
			args = append(args, option(flagMirror, withScheme(mirror)))
		}
	}
	return args
}

// warnOfMirrors says which registries will be asked though the user's configuration
// names others.
func (p *Provider) warnOfMirrors(args []string, report event.Reporter) {
	if takesHosts(args) {
		return
	}
	for _, host := range slices.Sorted(maps.Keys(p.opts.Registries)) {
		if mirror := p.opts.Registries[host]; !canMirror(host, mirror) {
			report.Start("Ignoring the mirror " + mirror + ": with this driver or runtime, minikube supports only a mirror of docker.io without a path").End(nil)
		}
	}
}

// canMirror tells whether minikube itself can have a registry's mirror: it takes hosts,
// and only for Docker's own registry.
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
