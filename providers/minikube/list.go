package minikube

import (
	"context"
	"slices"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// List returns every cluster in minikube's home or among the containers of the Docker Engine,
// of any owner.
func (p *Provider) List(ctx context.Context) ([]providers.Cluster, error) {
	names, err := p.names()
	if err != nil {
		return nil, err
	}
	found, err := p.engine.containers().List(ctx)
	if err != nil && (ctx.Err() != nil || p.needsDocker(names)) {
		return nil, err
	}
	for i := range found {
		if p.home.hasProfile(found[i].Name) { // otherwise it belongs to another home
			found[i].ID = p.home.identity(found[i].Name)
		}
		p.setMark(ctx, &found[i], true)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(found, func(c providers.Cluster) bool { return c.Name == name })
	})
	others := make([]providers.Cluster, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { others[i] = p.inspect(ctx, name) })
	}
	all.Wait()
	return append(found, others...), ctx.Err()
}

// needsDocker reports whether any of the profiles uses the docker driver.
func (p *Provider) needsDocker(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		c, err := p.home.profile(name)
		return err == nil && c.Driver == driverDocker
	})
}

// Engine returns docker's current engine, which minikube uses, if nodes are containers.
func (p *Provider) Engine(ctx context.Context, spec providers.Spec) (providers.Engine, error) {
	native, err := parseNative(spec.Native)
	if err != nil || p.opts.driver(spec, native) != driverDocker { // Create reports an error of native
		return providers.Engine{}, nil
	}
	return docker.Current(ctx)
}

// ListOn returns every cluster in minikube's home or among the containers of a Docker Engine.
func (p *Provider) ListOn(ctx context.Context, engine providers.Engine) ([]providers.Cluster, error) {
	return p.List(docker.On(ctx, engine))
}

// CheckEngine is [nodes.InDocker]'s. Clusters of other drivers have no engine.
func (p *Provider) CheckEngine(ctx context.Context, engine providers.Engine) error {
	if engine.IsZero() {
		return nil
	}
	return p.InDocker.CheckEngine(ctx, engine)
}

// own returns ref's cluster as List shows it, and a context for its engine. It returns
// ErrNotFound, and the errors of [providers.Ref.Check].
func (p *Provider) own(ctx context.Context, ref providers.Ref) (context.Context, providers.Cluster, error) {
	ctx = docker.On(ctx, ref.Engine)
	c, err := p.find(ctx, ref.Name)
	if err == nil {
		err = ref.Check(c)
	}
	return ctx, c, err
}

// nodesOnly returns a reference for [nodes.Tool], which cannot determine the owner of
// minikube's nodes: own has done so by the profile.
func nodesOnly(ref providers.Ref) providers.Ref {
	return providers.Ref{Provider: Name, Name: ref.Name, Engine: ref.Engine}
}

// find returns a cluster as List shows it, or ErrNotFound.
func (p *Provider) find(ctx context.Context, name string) (providers.Cluster, error) {
	all, err := p.List(ctx)
	if err != nil {
		return providers.Cluster{}, err
	}
	for _, c := range all {
		if c.Name == name {
			return c, nil
		}
	}
	return providers.Cluster{}, fault.Errorf(fault.ErrNotFound, "minikube has no cluster %q", name)
}
