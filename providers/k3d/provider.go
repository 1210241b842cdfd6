// Package k3d creates clusters with k3d (https://k3d.io), whose nodes are containers of a
// Docker Engine that run k3s. k3d is used as a library, so only the docker command must be
// installed.
//
// A cluster consists of containers, a network and volumes with k3d's labels, and nothing else
// is recorded about it. A cluster that k3d itself created is treated the same.
package k3d

import (
	"cmp"
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Name is the flavor's name.
const Name = "k3d"

// The default images. k3d's library defaults to a release of k3s that Kubernetes no longer
// supports, and to "latest" of its images.
const (
	// defaultNode is the newest release of k3s when k3d v5.9.0 became a dependency
	// (github.com/k3s-io/k3s/releases).
	defaultNode = "docker.io/rancher/k3s:v1.37.1-k3s1"

	// The other two are released with k3d, under its own version.
	defaultLoadBalancer = "ghcr.io/k3d-io/k3d-proxy:5.9.0"
	defaultTools        = "ghcr.io/k3d-io/k3d-tools:5.9.0"
)

// Options select the images, mirrors and certificates of the nodes.
type Options struct {
	// NodeImage is the node image for specs that name none; "" is k3s's own. A spec that
	// requests a version of Kubernetes gets this image with another tag.
	NodeImage string

	// LoadBalancerImage is the image of the load balancer in front of the nodes, ToolsImage
	// that of the container with which k3d inspects an engine in a virtual machine; "" are
	// k3d's own.
	LoadBalancerImage, ToolsImage string

	// Registries are mirrors of registries, by their hosts: "docker.io":
	// "registry.corp/docker".
	Registries map[string]string

	// Cache is the image cache that the user started, or nil; cache is what a creation found.
	Cache *providers.ImageCache
	cache *nodes.Cache

	// CAFile is the certificate authority that nodes trust if a spec names none.
	CAFile string
}

// Provider implements [providers.Provider], [providers.StartStopper],
// [providers.ImageLoader], [providers.LogExporter] and [providers.Straggler].
type Provider struct {
	nodes.OfTool
	opts     Options
	messages *messages
}

// New returns a Provider. It has no side effects.
func New(opts Options) *Provider {
	opts.NodeImage = cmp.Or(opts.NodeImage, defaultNode)
	opts.LoadBalancerImage = cmp.Or(opts.LoadBalancerImage, defaultLoadBalancer)
	opts.ToolsImage = cmp.Or(opts.ToolsImage, defaultTools)
	return &Provider{OfTool: nodes.NewOfTool(containers), opts: opts, messages: &messages{}}
}

// Name returns "k3d".
func (*Provider) Name() string { return Name }

// RemoveCommand implements [providers.Remover].
func (*Provider) RemoveCommand(name string) string { return "k3d cluster delete " + name }

// Describe returns what the flavor offers.
func (*Provider) Describe() providers.Description {
	return providers.Description{
		Summary:      "k3s in Docker: small and fast, with a load balancer in front of the nodes",
		Nodes:        "containers that run k3s",
		Runtime:      "containerd",
		CNI:          "flannel",
		Mounts:       "any number, on every node",
		Addons:       "Traefik, metrics-server, a service load balancer, a local storage class",
		Unprivileged: "with rootless Docker",
		Homepage:     "https://k3d.io",
		Tools:        []providers.Tool{{Name: "k3d", VersionArgs: []string{"version"}}},
	}
}

// Traits says that a published port ends at the load balancer in front of the nodes, where a
// Service of that type answers. One process serves all metrics of k3s's control plane, so there
// are no separate targets.
func (*Provider) Traits(spec providers.Spec) providers.Traits {
	native, err := parseNative(spec.Native)
	if err != nil {
		native = nil // Create reports the error
	}
	traits := providers.Traits{RunsPods: true, HostPorts: providers.HostPortsLoadBalancer}
	if !disables(native, "servicelb") {
		traits.LoadBalancer = providers.LoadBalancerBuiltin
	}
	traits.Ingress = !spec.Wants.NoIngress && !disables(native, "traefik")
	traits.MetricsServer = !spec.Wants.NoMetricsServer && !disables(native, "metrics-server")
	traits.Without = without(native)
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

// Delete removes the nodes, the network and the volumes. It does not use k3d's own Delete,
// which reports failures in its log only.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	return remove(docker.On(ctx, ref.Engine), ref)
}
