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

// The drivers that lab knows more of than their names.
const (
	driverDocker = "docker"
	driverPodman = "podman"
	driverNone   = "none"
)

// runtimeContainerd is what runs the pods unless another runtime is asked for.
const runtimeContainerd = "containerd"

const loopback = "127.0.0.1"

// The flags that more than one place speaks of.
const (
	flagDriver     = "driver"
	flagKubernetes = "kubernetes-version"
	flagBaseImage  = "base-image"
	flagRuntime    = "container-runtime"
	flagExtra      = "extra-config"
	flagMirror     = "registry-mirror"
	flagNames      = "apiserver-names"
)

// markDomain makes a cluster's mark a name of its API server, which the profile keeps and
// nobody can look up: minikube has no labels. A flag that is made for something else, and
// does nothing here, might be gone tomorrow.
const markDomain = ".lab.invalid"

// defaults are the flags that everything else goes above. What minikube would wait for
// besides the API server is waited for by lab, whatever the flavor.
func defaults() []string {
	return []string{"--driver=" + driverDocker, "--container-runtime=" + runtimeContainerd, "--wait=apiserver"}
}

// controlPlaneMetrics are the flags by which the control plane tells its metrics to
// others than itself. There is none for etcd: minikube v1.38 writes whatever it is told
// of etcd into the line before, and kubeadm refuses the file.
func controlPlaneMetrics() []string {
	return []string{
		"--extra-config=controller-manager.bind-address=0.0.0.0",
		"--extra-config=scheduler.bind-address=0.0.0.0",
	}
}

// allowCgroupV1 has the kubelet do what it refuses by default from Kubernetes 1.35 on.
const allowCgroupV1 = "--extra-config=kubelet.fail-cgroupv1=false"

// argsFor translates spec into flags of `minikube start`. It returns ErrInvalid or
// ErrUnsupported, and touches nothing.
//
// Of a flag that stands there twice minikube takes the last one, and of those that may
// be repeated all: so the flags are put one behind the other, what matters most last.
func (p *Provider) argsFor(spec providers.Spec) ([]string, error) {
	native, err := parseNative(spec.Native)
	if err != nil {
		return nil, err
	}
	own := ownArgs(spec)
	if err := contradicts(native, own); err != nil {
		return nil, err
	}
	below := slices.Concat(defaults(), p.configured(), native)
	if err := refuse(spec, last(slices.Concat(below, own), flagDriver), native); err != nil {
		return nil, err
	}
	args := slices.Concat(below, own)
	if !takesHosts(args) {
		args = append(args, p.mirrors()...)
	}
	return args, nil
}

// driver returns the driver that a spec will be made with.
func (p *Provider) driver(spec providers.Spec, native []string) string {
	return last(slices.Concat(defaults(), p.configured(), native, ownArgs(spec)), flagDriver)
}

// configured returns the flags of the user's own configuration.
func (p *Provider) configured() []string {
	var args []string
	if p.opts.BaseImage != "" {
		args = append(args, option(flagBaseImage, p.opts.BaseImage))
	}
	return append(args, p.opts.ExtraArgs...)
}

// ownArgs returns the flags that spec alone asks for.
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
		add("mount", "true") // versions before 1.36 want it
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

// publish returns a port as docker publishes it, on the loopback unless it says where.
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
		host = abs // docker takes a relative one for the name of a volume
	}
	if m.ReadOnly {
		return host + ":" + m.Node + ":ro"
	}
	return host + ":" + m.Node
}

// withCgroupV1 adds what a machine with cgroup v1 needs to args, and tells whether it
// did. Where no version of Kubernetes is asked for, it is that of minikube's own.
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

// isExact tells whether a version of Kubernetes is one, and not a word like "stable".
func isExact(kubernetes string) bool {
	return strings.HasPrefix(strings.TrimPrefix(kubernetes, "v"), "1.")
}

func option(name, value string) string { return "--" + name + "=" + value }

// last returns the value of the last of the flags of that name, or "".
func last(args []string, name string) string {
	for _, arg := range slices.Backward(args) {
		if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// inContainers tells whether a driver's nodes are containers, whose ports can be
// published.
func inContainers(driver string) bool { return driver == driverDocker || driver == driverPodman }
