// Package minikube creates clusters with minikube (https://minikube.sigs.k8s.io), which it runs
// as a process: the user's minikube, or the lab-minikube that is built with lab.
//
// minikube keeps a directory for each cluster, its profile, in the user's home. So `minikube
// profile list` shows the clusters of lab, and lab shows those of the user. Nodes are
// containers of a Docker Engine unless another driver is requested. lab reads the profile and
// the containers itself, and runs minikube only for what it alone can do.
package minikube

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Name is the flavor's name.
const Name = "minikube"

// Options configure minikube.
type Options struct {
	// BaseImage is the node image for specs that name none; "" is minikube's own.
	BaseImage string

	// ExtraArgs are flags of `minikube start`, each "--name=value". A spec overrides them.
	ExtraArgs []string

	// Registries are mirrors of registries, by their hosts.
	Registries map[string]string

	// Cache is the image cache that the user started, or nil.
	Cache *providers.ImageCache

	// CAFile is the certificate authority that nodes trust if a spec names none.
	CAFile string

	// Home is minikube's home. "" is minikube's own default: $MINIKUBE_HOME, or .minikube in
	// the user's home directory.
	Home string

	// Program is the path of minikube. If it is empty, lab uses minikube on PATH, or else
	// lab-minikube next to lab's own program, on PATH, or in BinDirs.
	Program string

	// BinDirs are more directories that may contain lab-minikube.
	BinDirs []string

	// Dir is lab's directory for temporary files of minikube: its lock, and the kubeconfig that
	// it always writes. lab creates it when necessary. "" is a directory among the system's
	// temporary files.
	Dir string
}

// Provider implements [providers.Provider] and all optional abilities.
type Provider struct {
	nodes.InDocker
	opts   Options
	home   home
	engine engine
	runner *runner
}

// New returns a Provider. It has no side effects.
func New(opts Options) *Provider {
	opts.Dir = cmp.Or(opts.Dir, filepath.Join(os.TempDir(), "lab-minikube"))
	if abs, err := filepath.Abs(opts.Dir); err == nil {
		opts.Dir = abs // minikube may have another working directory
	}
	home := homeOf(opts.Home)
	return &Provider{opts: opts, home: home, engine: engine{home}, runner: &runner{opts: opts, lingers: lingers}}
}

// Name returns "minikube".
func (*Provider) Name() string { return Name }

// RemoveCommand implements [providers.Remover].
func (*Provider) RemoveCommand(name string) string { return "minikube delete --profile " + name }

// Describe returns what the flavor offers.
func (*Provider) Describe() providers.Description {
	return providers.Description{
		Summary:      "a cluster in containers or virtual machines, with many bundled addons",
		Nodes:        "containers or virtual machines, set up with kubeadm; 1 or 3 control planes",
		Runtime:      "containerd, Docker or CRI-O",
		CNI:          "kindnet, or one of several others",
		Mounts:       "one directory, on every node",
		Addons:       "a local storage class; dozens more, enabled by name",
		Unprivileged: "with rootless Docker or Podman",
		Vanilla:      true,
		Homepage:     "https://minikube.sigs.k8s.io",
		Tools:        []providers.Tool{{Name: "minikube", VersionArgs: []string{"version", "--short"}}},
	}
}

// Traits says that a published port ends at a node, if nodes are containers, and that nothing
// serves load balancers. kube-proxy's metrics are always available, and those of the other
// components except etcd if spec requests them. An ingress and a metrics-server exist if
// minikube's own configuration enables them.
func (p *Provider) Traits(spec providers.Spec) providers.Traits {
	traits := providers.Traits{RunsPods: true, ControlPlaneMetrics: []string{"kube-proxy"}}
	if native, err := parseNative(spec.Native); err == nil { // otherwise Create reports the error
		if inContainers(p.opts.driver(spec, native)) {
			traits.HostPorts = providers.HostPortsNode
		}
		flags := slices.Concat(p.opts.configured(), native)
		traits.Ingress, traits.MetricsServer = enables(flags, "ingress"), enables(flags, "metrics-server")
		traits.Without = without(flags)
	}
	if spec.Wants.ControlPlaneMetrics {
		traits.ControlPlaneMetrics = []string{"kube-controller-manager", "kube-proxy", "kube-scheduler"}
	}
	return traits
}
