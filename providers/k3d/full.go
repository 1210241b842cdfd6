package k3d

import (
	"cmp"
	"context"
	"crypto/rand"
	"net"
	"strings"

	"github.com/k3d-io/k3d/v5/pkg/config"
	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"
	"github.com/rancher/wharfie/pkg/registries"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// complete has k3d expand a configuration to every container with its image and ports. It
// returns ErrInvalid.
func complete(ctx context.Context, c *v1alpha5.SimpleConfig, opts Options) (*v1alpha5.ClusterConfig, error) {
	quiet() // it logs ports
	full, err := config.TransformSimpleToClusterConfig(ctx, runtimes.Docker, *c, "/k3d.yaml")
	if err == nil {
		full, err = config.ProcessClusterConfig(*full)
	}
	if err != nil {
		return nil, invalid("%w", err)
	}
	if balancer := full.ServerLoadBalancer; balancer != nil {
		balancer.Node.Image = opts.LoadBalancerImage // k3d reads it from the environment only
	}
	if full.Token == "" {
		full.Token = rand.Text() // k3d's own is not random enough
	}
	addMirrors(full, opts.cache.Mirrors(opts.Registries))
	if err := keepInside(full); err != nil {
		return full, err
	}
	return full, rememberBalancer(full)
}

// keepInside publishes ports without an address on the loopback, which Docker would publish on
// all addresses, and returns an error if a port is published twice.
func keepInside(full *v1alpha5.ClusterConfig) error {
	taken := map[string]bool{}
	for _, n := range full.Nodes {
		for port, bindings := range n.Ports {
			for i := range bindings {
				b := &bindings[i]
				if b.HostIP == "" {
					b.HostIP = loopback
				}
				at := net.JoinHostPort(b.HostIP, b.HostPort) + "/" + port.Proto()
				if b.HostPort != "" && taken[at] {
					return conflict("host port %s is already published in it", b.HostPort)
				}
				taken[at] = true
			}
		}
	}
	return nil
}

// addMirrors configures mirrors of registries, except those that native configures.
func addMirrors(full *v1alpha5.ClusterConfig, mirrors map[string][]nodes.Mirror) {
	if len(mirrors) == 0 {
		return
	}
	c := &full.ClusterCreateOpts.Registries.Config
	if *c == nil {
		*c = &registries.Registry{}
	}
	if (*c).Mirrors == nil {
		(*c).Mirrors = map[string]registries.Mirror{}
	}
	for host, list := range mirrors {
		if _, ok := (*c).Mirrors[host]; !ok {
			(*c).Mirrors[host] = mirrorsOf(list)
		}
	}
}

// mirrorsOf translates the mirrors of a registry, in their order. k3s rewrites names alike for all
// of them, so if the last one, which the user configured, has a path, it is the only one.
func mirrorsOf(list []nodes.Mirror) registries.Mirror {
	m := mirrorOf(list[len(list)-1].Address)
	if len(m.Rewrites) > 0 {
		return m
	}
	m.Endpoints = nil
	for _, one := range list {
		m.Endpoints = append(m.Endpoints, mirrorOf(one.Address).Endpoints...)
	}
	return m
}

// mirrorOf translates "registry.corp/docker": nodes ask the host for images below the path.
func mirrorOf(address string) registries.Mirror {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	}
	host, path, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	scheme = cmp.Or(scheme, docker.Scheme(host))
	m := registries.Mirror{Endpoints: []string{scheme + "://" + host}}
	if path != "" {
		m.Rewrites = map[string]string{"^(.*)$": path + "/$1"}
	}
	return m
}

// balancerVariable names the image of the load balancer in the environment.
const balancerVariable = "LAB_IMAGES_K3D_LOAD_BALANCER"

// imagesOf returns the images that a cluster is created from.
func imagesOf(full *v1alpha5.ClusterConfig) []nodes.Image {
	var names, balancers []string
	for _, n := range full.Nodes {
		if n.Role == k3d.LoadBalancerRole {
			balancers = append(balancers, n.Image)
			continue
		}
		names = append(names, n.Image)
	}
	if r := full.ClusterCreateOpts.Registries.Create; r != nil {
		names = append(names, r.Image)
	}
	return append(nodes.Images(balancerVariable, balancers...), nodes.Images(imageVariable, names...)...)
}
