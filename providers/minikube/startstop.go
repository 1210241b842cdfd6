package minikube

import (
	"context"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Start has minikube start the cluster, and returns when the API server answers. On error the
// cluster stays as it is then.
func (p *Provider) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	name := ref.Name
	ctx, c, err := p.own(ctx, ref)
	if err != nil || c.State == providers.StateRunning {
		return err
	}
	_, missing := p.engine.containers().Find(ctx, name)
	if config, err := p.home.profile(name); missing != nil && err == nil && config.Driver == driverDocker {
		return nodes.Headless(name) // minikube would create a node from its volume
	}
	tool, err := p.runner.program(ctx)
	if err != nil {
		return err
	}
	if missing != nil {
		return report.For(name).Do("Starting the nodes", func(step *event.Step) error { return p.wake(ctx, tool, name, step) })
	}
	containers := p.engine.containers()
	containers.Cache = p.opts.Cache
	return containers.Start(ctx, nodesOnly(ref), report, func(ctx context.Context, asleep []docker.Container, step *event.Step) error {
		if err := p.startNodes(ctx, name, asleep); err != nil {
			return err
		}
		return p.wake(ctx, tool, name, step)
	})
}

// startNodes starts the containers of nodes. minikube requires the address that the profile
// says, so startNodes changes the profile if a node gets another one.
func (p *Provider) startNodes(ctx context.Context, name string, asleep []docker.Container) error {
	anyMoved := false
	for _, node := range asleep {
		moved, err := docker.StartAnywhere(ctx, node)
		if err != nil {
			return err
		}
		anyMoved = anyMoved || moved
	}
	if !anyMoved {
		return nil
	}
	found, err := p.engine.containers().Find(ctx, name)
	if err != nil {
		return err
	}
	addresses := map[string]string{}
	for _, node := range found {
		for _, at := range node.NetworkSettings.Networks {
			addresses[node.Name] = at.IPAddress
		}
	}
	return p.home.readdress(name, addresses)
}

// wake runs `minikube start` on an existing cluster. minikube knows what the cluster consists
// of, so wake passes only the flags that say where to get files.
func (p *Provider) wake(ctx context.Context, tool program, name string, step *event.Step) error {
	args := slices.DeleteFunc(p.opts.configured(), func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		return !slices.Contains([]string{"preload", "cache-images", "binary-mirror", "native-ssh", "preload-source"}, name)
	})
	if err := p.runner.awaitOther(ctx, name, step); err != nil {
		return err
	}
	return p.runner.run(ctx, tool, name, inside(step), startArgs(append(args, "--wait=apiserver")...)...)
}

// Stop stops the nodes, and keeps them.
func (p *Provider) Stop(ctx context.Context, ref providers.Ref) error {
	ctx, c, err := p.own(ctx, ref)
	if err != nil || c.State == providers.StateStopped {
		return err
	}
	if _, err := p.engine.containers().Find(ctx, ref.Name); err == nil {
		return p.engine.containers().Stop(ctx, nodesOnly(ref))
	}
	tool, err := p.runner.program(ctx)
	if err != nil {
		return err
	}
	return p.runner.run(ctx, tool, ref.Name, quiet(), "stop", "--output=json")
}
