// Package minikube makes clusters with minikube (https://minikube.sigs.k8s.io), which it
// runs as a process: a minikube that the user has installed, or the lab-minikube that is
// built with lab.
//
// minikube keeps a directory for each cluster, its profile, in a home that is the user's
// own: so the clusters of lab show in `minikube profile list`, and those of others in
// lab. Its nodes are containers of a Docker Engine, unless another driver is asked for.
// What can be known from the profile and the containers is read there; minikube is asked
// to do what it alone knows how to do.
package minikube

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Name is the flavor's name.
const Name = "minikube"

// Options say what minikube is told, and where things are.
type Options struct {
	// BaseImage is the image of the nodes for specs that ask for none; "" is minikube's
	// own.
	BaseImage string

	// ExtraArgs are flags of `minikube start`, each "--name=value". What a spec asks
	// for goes above them.
	ExtraArgs []string

	// Registries are what is asked in place of a registry, by its host.
	Registries map[string]string

	// CAFile is the certificate authority that nodes trust where a spec names none.
	CAFile string

	// Home is minikube's home. Where it is empty it is the one that minikube itself
	// would take: $MINIKUBE_HOME, or .minikube in the user's home directory.
	Home string

	// Program is the path of minikube. Where it is empty, minikube is looked for on
	// PATH, and lab-minikube beside lab's own program, on PATH, and in BinDirs.
	Program string

	// BinDirs are further directories in which lab-minikube may be.
	BinDirs []string

	// Dir is a directory of lab's own, made when it is needed, for what is there only
	// while minikube is at work: its lock and the kubeconfig that it writes, wanted or
	// not. "" is a directory among the system's temporary files.
	Dir string
}

// Provider implements [providers.Provider] and all optional abilities.
type Provider struct {
	opts    Options
	lingers time.Duration // how long what minikube has started may go on once it was ended

	mu    sync.Mutex
	known program // that has told its version; asking takes a tenth of a second each time
}

// New returns a Provider. It touches nothing.
func New(opts Options) *Provider {
	opts.Dir = cmp.Or(opts.Dir, filepath.Join(os.TempDir(), "lab-minikube"))
	if abs, err := filepath.Abs(opts.Dir); err == nil {
		opts.Dir = abs // minikube need not run where lab does
	}
	return &Provider{opts: opts, lingers: lingers}
}

// Name returns "minikube".
func (*Provider) Name() string { return Name }

// Straggles is how long the Docker Engine may go on with what a killed lab asked of it.
func (*Provider) Straggles() time.Duration { return nodes.Straggles }

// RemoveCommand implements [providers.Remover].
func (*Provider) RemoveCommand(name string) string { return "minikube delete --profile " + name }

// Describe says what the flavor offers.
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

// Traits says that a published port ends at a node, where nodes are containers, and that
// nobody serves load balancers. kube-proxy's metrics always answer, and where they were
// asked for all but etcd's. An ingress and a metrics-server are there where minikube's own
// configuration switches them on.
func (p *Provider) Traits(spec providers.Spec) providers.Traits {
	traits := providers.Traits{RunsPods: true, ControlPlaneMetrics: []string{"kube-proxy"}}
	if native, err := parseNative(spec.Native); err == nil { // else Create says what is wrong with it
		if inContainers(p.driver(spec, native)) {
			traits.HostPorts = providers.HostPortsNode
		}
		flags := slices.Concat(p.configured(), native)
		traits.Ingress, traits.MetricsServer = enables(flags, "ingress"), enables(flags, "metrics-server")
		traits.Without = without(flags)
	}
	if spec.Wants.ControlPlaneMetrics {
		traits.ControlPlaneMetrics = []string{"kube-controller-manager", "kube-proxy", "kube-scheduler"}
	}
	return traits
}
