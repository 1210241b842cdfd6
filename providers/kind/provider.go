// Package kind creates clusters with kind (https://kind.sigs.k8s.io), whose nodes are
// containers of a Docker Engine. kind is used as a library, so only the docker command must be
// installed.
//
// A cluster consists of containers with kind's label, and nothing else is recorded about it. A
// cluster that kind itself created is treated the same.
package kind

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Name is the flavor's name.
const Name = "kind"

// Options select the images and the directory for temporary files.
type Options struct {
	// NodeImage is the node image for specs that name none; "" is kind's own. A spec that
	// requests a version of Kubernetes gets this image with another tag.
	NodeImage string

	// CAFile is the certificate authority that nodes trust if a spec names none.
	CAFile string

	// Registries are mirrors of registries, by their hosts, with a path or without.
	Registries map[string]string

	// Cache is the image cache that the user started, or nil.
	Cache *providers.ImageCache

	// Dir is lab's directory for the kubeconfig that kind always writes at the end of a
	// creation, and that lab removes at once. lab creates it when necessary. "" is a directory
	// among the system's temporary files.
	Dir string
}

// Provider implements [providers.Provider] and all optional abilities.
type Provider struct {
	nodes.OfTool
	opts Options
}

// New returns a Provider. It has no side effects.
func New(opts Options) *Provider {
	opts.NodeImage = cmp.Or(opts.NodeImage, defaults.Image)
	opts.Dir = cmp.Or(opts.Dir, filepath.Join(os.TempDir(), "lab-kind"))
	return &Provider{OfTool: nodes.NewOfTool(containers), opts: opts}
}

// Name returns "kind".
func (*Provider) Name() string { return Name }

// RemoveCommand implements [providers.Remover].
func (*Provider) RemoveCommand(name string) string { return "kind delete cluster --name " + name }

// Describe returns what the flavor offers.
func (*Provider) Describe() providers.Description {
	return providers.Description{
		Summary:      "Kubernetes in Docker: every node is a container; the Kubernetes project uses it for its own tests",
		Nodes:        "containers, set up with kubeadm",
		Runtime:      "containerd",
		CNI:          "kindnet",
		Mounts:       "any number, on every node",
		Addons:       "a local storage class",
		Unprivileged: "with rootless Docker",
		Vanilla:      true,
		Homepage:     "https://kind.sigs.k8s.io",
		Tools:        []providers.Tool{{Name: "kind", VersionArgs: []string{"version"}}},
	}
}

// Traits says that a published port ends at a node, and that nothing serves load balancers. The
// metrics of the control plane are available if spec requests them.
func (*Provider) Traits(spec providers.Spec) providers.Traits {
	traits := providers.Traits{RunsPods: true, HostPorts: providers.HostPortsNode}
	if spec.Wants.ControlPlaneMetrics {
		traits.ControlPlaneMetrics = []string{"etcd", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
	}
	if native, err := parseNative(spec.Native); err == nil { // otherwise Create reports the error
		traits.Without = without(native)
	}
	return traits
}

// Validate implements [providers.Validator].
func (p *Provider) Validate(spec providers.Spec) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	_, err := p.plan(spec)
	return err
}

// Check returns nil if the Docker Engine answers and has the node image for spec, or if the
// image's registry answers. Otherwise it returns ErrUnavailable.
func (p *Provider) Check(ctx context.Context, spec providers.Spec) error {
	return nodes.Check(ctx, spec, nodeImage(spec, p.opts.NodeImage), imageVariable)
}

// Delete removes the nodes with their volumes. The network stays, which all clusters of kind
// share. It does not use kind's own Delete, which edits a kubeconfig, cannot be interrupted,
// and reports no error if the cluster does not exist.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	ctx = docker.On(ctx, ref.Engine)
	own, err := containers().Own(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) { // it may have been interrupted before its first node
		return errors.Join(err, p.Forget(ref.Name))
	}
	if err != nil {
		return err
	}
	if err := docker.Remove(ctx, nodes.IDs(own)...); err != nil {
		return err
	}
	return p.Forget(ref.Name)
}

// tool returns kind's library. It has no side effects.
func tool(logger log.Logger) *cluster.Provider {
	return cluster.NewProvider(cluster.ProviderWithLogger(logger), cluster.ProviderWithDocker())
}

// scratch returns the directory into which kind may write while it creates a cluster.
func (p *Provider) scratch(name string) string { return filepath.Join(p.opts.Dir, name) }
