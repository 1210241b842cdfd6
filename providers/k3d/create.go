package k3d

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strconv"

	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/hostport"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Create makes the cluster. It returns ErrInvalid, ErrUnsupported, ErrExists or
// ErrUnavailable, ErrNotFound where there is no such node image, or an error with the last
// words of what failed in the nodes, whose logs it saves before it removes them.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	spec.Mark = cmp.Or(spec.Mark, rand.Text()) // a failed creation is removed by its mark
	config, err := configFor(spec, p.opts)
	if err == nil {
		err = nodes.CheckFiles(spec, sources(config)...)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	full, err := complete(ctx, config, p.opts)
	if err == nil {
		err = checkFree(ctx, full)
	}
	report = report.For(spec.Name)
	if native, err := parseNative(spec.Native); err == nil {
		nodes.WarnName(report, Name, native.Name, spec.Name)
	}
	if err == nil {
		err = adapt(ctx, config, report)
	}
	if err == nil {
		err = p.pull(ctx, imagesOf(full), report)
	}
	if err == nil {
		full, err = p.settle(ctx, config)
	}
	if err != nil {
		return err
	}
	return p.make(ctx, full, spec, report)
}

// adapt makes config fit for the engine, and says so where a person should know.
func adapt(ctx context.Context, config *v1alpha5.SimpleConfig, report event.Reporter) error {
	engine, err := docker.Ping(ctx)
	if err == nil && engine.CgroupV1 && allowCgroupV1(config) {
		nodes.WarnCgroupV1(report)
	}
	return err
}

// pull sees to it that the engine has the images. That of the balancer goes by another
// name than nodes do.
func (p *Provider) pull(ctx context.Context, images []string, report event.Reporter) error {
	for _, image := range images {
		err := nodes.Pull(ctx, []string{image}, imageVariable, report)
		if err != nil && image == p.opts.LoadBalancerImage && ctx.Err() == nil {
			return fault.WithHint(err,
				"pull the image where the registry is reachable: docker pull %s; or use a load balancer image that is on this machine: export LAB_IMAGES_K3D_LOAD_BALANCER=IMAGE", image)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle works out the cluster as it will be made, at a port that is free now, and looks
// again whether its name is: a pull takes minutes, in which others work, too.
func (p *Provider) settle(ctx context.Context, config *v1alpha5.SimpleConfig) (*v1alpha5.ClusterConfig, error) {
	if port := config.ExposeAPI.HostPort; port == "" || port == "random" { // k3d's command line picks one, its library does not
		free, err := hostport.Free(ctx, hostport.Port{Address: config.ExposeAPI.HostIP})
		if err != nil {
			return nil, fmt.Errorf("cannot choose a port for the API server: %w", err)
		}
		config.ExposeAPI.HostPort = strconv.Itoa(free)
	}
	full, err := complete(ctx, config, p.opts)
	if err == nil {
		err = checkFree(ctx, full)
	}
	return full, err
}

// checkFree returns ErrExists where a cluster of that name is there, or a container that
// is in its way.
func checkFree(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	names := make([]string, len(full.Nodes))
	for i, n := range full.Nodes {
		names[i] = n.Name
	}
	return containers().CheckFree(ctx, full.Name, containerName(full.Name, "")+"-", names)
}
