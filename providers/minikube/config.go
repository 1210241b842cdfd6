package minikube

import (
	"cmp"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// The drivers that lab treats differently from others.
const (
	driverDocker = "docker"
	driverPodman = "podman"
	driverNone   = "none"
)

// runtimeContainerd is the default container runtime.
const runtimeContainerd = "containerd"

const loopback = "127.0.0.1"

// The flags that several functions use.
const (
	flagDriver     = "driver"
	flagKubernetes = "kubernetes-version"
	flagBaseImage  = "base-image"
	flagRuntime    = "container-runtime"
	flagExtra      = "extra-config"
	flagMirror     = "registry-mirror"
	flagNames      = "apiserver-names"
)

// markDomain is appended to a cluster's mark to form a name of its API server, which the
// profile keeps and no DNS resolves: minikube has no labels, and a flag with another purpose
// may disappear.
const markDomain = ".lab.invalid"

// waitForAPI has minikube wait for the API server alone. lab itself waits for everything after
// it, for every flavor.
const waitForAPI = "--wait=apiserver"

// defaults returns the flags that all others override.
func defaults() []string {
	return []string{"--driver=" + driverDocker, "--container-runtime=" + runtimeContainerd, waitForAPI}
}

// controlPlaneMetrics returns the flags with which the control plane serves its metrics to
// other hosts. There is none for etcd: minikube v1.38 appends etcd's settings to the line
// before, and kubeadm rejects the file.
func controlPlaneMetrics() []string {
	return []string{
		"--extra-config=controller-manager.bind-address=0.0.0.0",
		"--extra-config=scheduler.bind-address=0.0.0.0",
	}
}

// allowCgroupV1 has the kubelet accept cgroup v1, which it rejects by default from Kubernetes
// 1.35 on.
const allowCgroupV1 = "--extra-config=kubelet.fail-cgroupv1=false"

// argsFor translates spec into flags of `minikube start`. It returns ErrInvalid or
// ErrUnsupported, and has no side effects.
//
// If a flag occurs twice, minikube uses the last one; flags that may be repeated add up. So the
// flags are concatenated in order of priority, the highest last.
func (o Options) argsFor(spec providers.Spec) ([]string, error) {
	native, err := parseNative(spec.Native)
	if err != nil {
		return nil, err
	}
	own := ownArgs(spec)
	if err := contradicts(native, own); err != nil {
		return nil, err
	}
	below := slices.Concat(defaults(), o.configured(), native)
	if err := refuse(spec, last(slices.Concat(below, own), flagDriver), native); err != nil {
		return nil, err
	}
	args := slices.Concat(below, own)
	if !takesHosts(args) {
		args = append(args, o.mirrors()...)
	}
	return args, nil
}

// driver returns the driver for a spec.
func (o Options) driver(spec providers.Spec, native []string) string {
	return last(slices.Concat(defaults(), o.configured(), native, ownArgs(spec)), flagDriver)
}

// configured returns the flags of lab's configuration.
func (o Options) configured() []string {
	var args []string
	if o.BaseImage != "" {
		args = append(args, option(flagBaseImage, o.BaseImage))
	}
	return append(args, o.ExtraArgs...)
}

// ownArgs returns the flags that spec alone requires.
func ownArgs(spec providers.Spec) []string {
	var args []string
	add := func(name, value string) {
		if value != "" {
			args = append(args, option(name, value))
		}
	}
	add(flagDriver, spec.Driver)
	add(flagKubernetes, spec.KubernetesVersion)
	add(flagBaseImage, spec.NodeImage)
	if spec.Mark != "" {
		add(flagNames, spec.Mark+markDomain)
	}
	if n := spec.ControlPlanes + spec.Workers; n > 1 {
		add("nodes", strconv.Itoa(n))
	}
	if spec.ControlPlanes > 1 {
		add("ha", "true")
	}
	for _, port := range spec.Ports {
		add("ports", publish(port))
	}
	for _, m := range spec.Mounts {
		add("mount", "true") // required before version 1.36
		add("mount-string", mountString(m))
	}
	if spec.CAFile != "" {
		add("embed-certs", "true")
	}
	if spec.Wants.ControlPlaneMetrics {
		args = append(args, controlPlaneMetrics()...)
	}
	return args
}

// publish returns a port as docker publishes it, on the loopback unless it has an address.
func publish(p providers.Port) string {
	s := net.JoinHostPort(cmp.Or(p.Address, loopback), strconv.Itoa(p.Host)) + ":" + strconv.Itoa(p.Container)
	if p.Protocol != "" && p.Protocol != "tcp" {
		s += "/" + p.Protocol
	}
	return s
}

func mountString(m providers.Mount) string {
	host := m.Host
	if abs, err := filepath.Abs(host); err == nil {
		host = abs // docker treats a relative one as the name of a volume
	}
	if m.ReadOnly {
		return host + ":" + m.Node + ":ro"
	}
	return host + ":" + m.Node
}

// withCgroupV1 returns args with what a machine with cgroup v1 needs, and reports whether it
// changed them. Without a version of Kubernetes in args, minikube's default counts.
func withCgroupV1(args []string, minikube version) ([]string, bool) {
	kubernetes := last(args, flagKubernetes)
	switch {
	case slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--extra-config=kubelet.fail-cgroupv1=") }):
		return args, false
	case kubernetes == "" && minikube.before(1, 38), !isExact(kubernetes) && minikube.before(1, 38):
		return args, false
	case kubernetes != "" && isExact(kubernetes) && !nodes.WantsCgroupV2("v"+strings.TrimPrefix(kubernetes, "v")):
		return args, false
	}
	return append(args, allowCgroupV1), true
}

// isExact reports whether a version of Kubernetes is a number, and not a word like "stable".
func isExact(kubernetes string) bool {
	return strings.HasPrefix(strings.TrimPrefix(kubernetes, "v"), "1.")
}

func option(name, value string) string { return "--" + name + "=" + value }

// last returns the value of the last flag of that name, or "".
func last(args []string, name string) string {
	for _, arg := range slices.Backward(args) {
		if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// inContainers reports whether a driver's nodes are containers, which can publish ports.
func inContainers(driver string) bool { return driver == driverDocker || driver == driverPodman }
