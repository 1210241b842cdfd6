package k3d

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Create makes the cluster. It returns ErrInvalid, ErrUnsupported, ErrExists or
// ErrUnavailable, ErrNotFound where there is no such node image, or an error with the last
// words of what failed in the nodes, whose logs it saves before it removes them.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report providers.Reporter) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	config, err := configFor(spec, p.opts)
	if err == nil {
		err = nodes.CheckFiles(spec)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	report = report.For(spec.Name)
	full, err := p.plan(ctx, config, report)
	if err != nil {
		return err
	}
	if err := nodes.Pull(ctx, imagesOf(full), report); err != nil {
		return err
	}
	if err := checkFree(ctx, full); err != nil { // again: a pull takes minutes, in which others work, too
		return err
	}
	return p.make(ctx, full, report)
}

// plan works out the whole of the cluster, to fit this machine, before anything is made.
func (p *Provider) plan(ctx context.Context, config *v1alpha5.SimpleConfig, report providers.Reporter) (*v1alpha5.ClusterConfig, error) {
	if _, err := complete(ctx, config, p.opts); err != nil { // what is wrong in itself comes first
		return nil, err
	}
	engine, err := docker.Ping(ctx)
	if err != nil {
		return nil, err
	}
	warn := engine.CgroupV1 && allowCgroupV1(config)
	if port := config.ExposeAPI.HostPort; port == "" || port == "random" {
		if config.ExposeAPI.HostPort, err = freePort(config.ExposeAPI.HostIP); err != nil {
			return nil, fmt.Errorf("a port for the API server: %w", err)
		}
	}
	full, err := complete(ctx, config, p.opts)
	if err == nil {
		err = checkFree(ctx, full)
	}
	if err == nil && warn {
		nodes.WarnCgroupV1(report)
	}
	return full, err
}

// checkFree returns ErrExists where a cluster of that name is there, or a container that
// is in its way.
func checkFree(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	found, err := containers().Find(ctx, full.Name)
	if err == nil {
		return providers.Errorf(providers.ErrExists, "there is a k3d cluster of that name, with the node %s", found[0].Name)
	}
	if !errors.Is(err, providers.ErrNotFound) {
		return err
	}
	taken, err := docker.Names(ctx, containerName(full.Name, "")+"-")
	if err != nil {
		return err
	}
	for _, n := range full.Nodes {
		if slices.Contains(taken, n.Name) {
			err := providers.Errorf(providers.ErrExists, "there is a container %s, which is no node of k3d's", n.Name)
			return providers.WithHint(err, "choose another name, or remove it: docker rm --force %s", n.Name)
		}
	}
	return nil
}
