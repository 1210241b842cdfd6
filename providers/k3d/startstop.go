package k3d

import (
	"context"
	"slices"
	"strings"

	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Stop stops the nodes, all at once, and keeps them stopped when the machine starts.
func (*Provider) Stop(ctx context.Context, ref providers.Ref) error {
	return containers().Stop(ctx, ref)
}

// Start starts the nodes that do not run, and waits until the API server answers. On
// error it leaves the cluster as far as it came. k3d asks the engine that the docker
// command uses now: where the cluster is on another, Start returns ErrUnavailable.
func (p *Provider) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	if err := docker.RequireCurrent(ctx, ref.Engine); err != nil {
		return err
	}
	return containers().Start(ctx, ref, report, func(ctx context.Context, asleep []docker.Container, step *event.Step) error {
		if err := p.wakeAll(ctx, ref.Name, asleep, step); err != nil {
			return err
		}
		return refresh(ctx, ref.Name, asleep)
	})
}

// wakeAll starts the nodes that are asleep. Servers that know one another by address have
// it for good; but a container that the engine brought back by itself, before a server, may
// have been given it, and must let go of it.
func (p *Provider) wakeAll(ctx context.Context, name string, asleep []docker.Container, step *event.Step) error {
	if len(asleep) == 0 {
		return nil
	}
	err := p.wake(ctx, name, step)
	if err == nil || !strings.Contains(err.Error(), "Address already in use") {
		return err
	}
	found, err := containers().Find(ctx, name)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(found, func(c docker.Container) bool { return hasRole(k3d.ServerRole)(c) || !c.Running() })
	if err := docker.Stop(ctx, nodes.IDs(others)...); err != nil {
		return err
	}
	return p.wake(ctx, name, step)
}

// wake has k3d start what does not run, in its order: the servers before the agents, and
// the balancer last. It also tells nodes anew at which address they reach this machine.
func (p *Provider) wake(ctx context.Context, name string, step *event.Step) error {
	defer p.messages.follow(name, step)()
	cluster, err := client.ClusterGet(ctx, runtimes.Docker, &k3d.Cluster{Name: name})
	if err != nil {
		return explain(err)
	}
	opts, err := client.GetClusterStartOptsFromLabels(cluster)
	if err != nil {
		return err
	}
	if opts.EnvironmentInfo, err = environment(ctx, cluster, p.opts.ToolsImage); err != nil {
		return explain(err)
	}
	opts.WaitForServer = true
	recallDisabled(cluster)
	return p.start(ctx, cluster, opts)
}

// recallDisabled tells k3d again that CoreDNS is disabled: it looks for that in the arguments
// that it remembers only while it creates a node, and fails to edit a manifest otherwise.
func recallDisabled(cluster *k3d.Cluster) {
	for _, n := range cluster.Nodes {
		for _, arg := range n.Cmd {
			if strings.HasPrefix(arg, "--disable") && strings.Contains(arg, "coredns") {
				n.Args = append(n.Args, arg)
			}
		}
	}
}

// refresh starts the balancer again if it was awake all the time: it looks the addresses of
// the nodes up when it starts, and these may have got others since.
func refresh(ctx context.Context, name string, asleep []docker.Container) error {
	found, err := containers().Find(ctx, name)
	if err != nil {
		return err
	}
	stale := slices.DeleteFunc(found, func(c docker.Container) bool {
		return !hasRole(k3d.LoadBalancerRole)(c) || slices.Contains(nodes.IDs(asleep), c.ID)
	})
	return docker.Do(ctx, []string{"restart"}, nodes.IDs(stale)...)
}
