package minikube

import (
	"regexp"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// noneProfile is the only name that the driver none supports.
const noneProfile = "minikube"

// maxNodes is the limit of minikube's network for a cluster: it numbers the addresses of nodes
// up to 253, and reserves some.
const maxNodes = 250

// isNodeName reports whether minikube could give a name to the second or a later node of a
// cluster.
func isNodeName(name string) bool { return regexp.MustCompile(`-m[0-9]+$`).MatchString(name) }

// refuse returns ErrUnsupported if minikube cannot create what spec requests, or would silently
// create something else.
func refuse(spec providers.Spec, driver string, native []string) error {
	ports := len(spec.Ports) > 0 || last(native, "ports") != ""
	several := spec.ControlPlanes+spec.Workers > 1 || last(native, "nodes") != "" || last(native, "ha") == "true"
	mounts := len(spec.Mounts)
	for _, test := range []struct {
		is         bool
		what, hint string
	}{
		{isNodeName(spec.Name),
			"minikube uses names like " + spec.Name + " for the second node of a cluster", "use another name"},
		{driver == driverNone && spec.Name != noneProfile,
			"the driver none supports one cluster, whose name must be minikube", "use that name: lab up minikube --flavor minikube --driver none"},
		{spec.ControlPlanes != 0 && spec.ControlPlanes != 1 && spec.ControlPlanes != 3,
			"minikube supports 1 or 3 control planes", "use --control-planes 3, or --flavor kind"},
		{spec.ControlPlanes+spec.Workers > maxNodes,
			"minikube supports at most 250 nodes", "use fewer nodes, or --flavor kwok"},
		{ports && several,
			"minikube publishes ports only in a cluster of one node", "remove the workers, or use --flavor kind"},
		{ports && !inContainers(driver),
			"the driver " + driver + " cannot publish ports", "remove the driver or the ports"},
		{mounts > 1 || mounts == 1 && last(native, "mount-string") != "",
			"minikube supports one mount", "mount a common parent directory, or use --flavor kind"},
		{driver == driverNone && (mounts > 0 || several),
			"the driver none uses this machine as its only node, without mounts", "remove the driver"},
	} {
		if test.is {
			return fault.WithHint(fault.Errorf(fault.ErrUnsupported, "%s", test.what), "%s", test.hint)
		}
	}
	return nil
}

// contradicts returns ErrInvalid if the configuration for minikube differs from own, the flags
// of spec.
func contradicts(native, own []string) error {
	for _, arg := range native {
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		asked := last(own, name)
		if asked != "" && asked != value && !slices.Contains(repeatable(), name) {
			return conflict("it sets %s: %s, but %s is requested", name, value, asked)
		}
		if key, _, ok := strings.Cut(value, "="); ok && name == flagExtra {
			if setting := last(own, flagExtra+"="+key); setting != "" && option(flagExtra, key+"="+setting) != arg {
				return conflict("it sets %s: %s, but %s=%s is requested", name, value, key, setting)
			}
		}
	}
	return nil
}

// repeatable returns the flags that may be repeated.
func repeatable() []string {
	return []string{flagExtra, flagMirror, "ports", "addons", "apiserver-ips", flagNames, "docker-env", "docker-opt", "insecure-registry"}
}
