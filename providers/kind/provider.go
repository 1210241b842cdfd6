// Package kind makes clusters with kind (https://kind.sigs.k8s.io), whose nodes are
// containers of a Docker Engine. kind is used as a library, so no program of that name
// need be installed; the docker command must be.
//
// All that a cluster is are containers that bear kind's label. Nothing about them is
// kept elsewhere: their state is the cluster's, and a cluster that kind itself made is
// like any other.
package kind

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

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

// Options say which images to use, and where to write.
type Options struct {
	// NodeImage is the node image for specs that ask for none; "" is kind's own. A
	// spec that asks for a version of Kubernetes gets this image with another tag.
	NodeImage string

	// CAFile is the certificate authority that nodes trust where a spec names none.
	CAFile string

	// Registries are what nodes ask in place of registries, by their hosts: see
	// [nodes.Mirror].
	Registries map[string]string

	// Dir is a directory of lab's own, made when it is needed. kind writes a kubeconfig
	// at the end of a creation, wanted or not; it goes here, and is removed at once. ""
	// is a directory among the system's temporary files.
	Dir string
}

// Provider implements [providers.Provider] and all optional abilities.
type Provider struct{ opts Options }

// New returns a Provider. It touches nothing.
func New(opts Options) *Provider {
	opts.NodeImage = cmp.Or(opts.NodeImage, defaults.Image)
	opts.Dir = cmp.Or(opts.Dir, filepath.Join(os.TempDir(), "lab-kind"))
	return &Provider{opts: opts}
}

// Name returns "kind".
func (*Provider) Name() string { return Name }

// Straggles is how long the Docker Engine may go on with what a killed lab asked of it.
func (*Provider) Straggles() time.Duration { return nodes.Straggles }

// RemoveCommand implements [providers.Remover].
func (*Provider) RemoveCommand(name string) string { return "kind delete cluster --name " + name }

// Describe says what the flavor offers.
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

// Traits says that a published port ends at a node, and that nobody serves load
// balancers. The metrics of the control plane answer where they were asked for.
func (*Provider) Traits(spec providers.Spec) providers.Traits {
	traits := providers.Traits{RunsPods: true, HostPorts: providers.HostPortsNode}
	if spec.Wants.ControlPlaneMetrics {
		traits.ControlPlaneMetrics = []string{"etcd", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
	}
	if native, err := parseNative(spec.Native); err == nil { // else Create says what is wrong with it
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

// Check returns nil where the Docker Engine answers and has the node image that spec asks
// for, or could pull it: its registry answers. Otherwise it returns ErrUnavailable.
func (p *Provider) Check(ctx context.Context, spec providers.Spec) error {
	return nodes.Check(ctx, spec, nodeImage(spec, p.opts.NodeImage), imageVariable)
}

// Delete removes the nodes with their volumes. The network stays that all clusters of
// kind share. kind's own Delete is not used: it edits a kubeconfig, cannot be
// cancelled, and finds nothing amiss where there is no cluster.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	ctx = docker.On(ctx, ref.Engine)
	own, err := containers().Own(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) { // it may have been cut short before its first node
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

// tool returns kind as its library offers it. It touches nothing.
func tool(logger log.Logger) *cluster.Provider {
	return cluster.NewProvider(cluster.ProviderWithLogger(logger), cluster.ProviderWithDocker())
}

// scratch is the directory in which kind may write while it makes a cluster.
func (p *Provider) scratch(name string) string { return filepath.Join(p.opts.Dir, name) }
