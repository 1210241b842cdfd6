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

// Start starts the stopped nodes and waits until the API server answers. On error the cluster
// stays as it is then. k3d uses docker's current engine: if the cluster is on another one,
// Start returns ErrUnavailable.
func (p *Provider) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	if err := docker.RequireCurrent(ctx, ref.Engine); err != nil {
		return err
	}
	tool := containers()
	tool.Cache = p.opts.Cache
	return tool.Start(ctx, ref, report, func(ctx context.Context, asleep []docker.Container, step *event.Step) error {
		if err := p.wakeAll(ctx, ref.Name, asleep, step); err != nil {
			return err
		}
		return refresh(ctx, ref.Name, asleep)
	})
}

// wakeAll starts the stopped nodes. Servers that refer to one another by address have fixed
// addresses. A container that the engine started earlier by itself may have got such an
// address, and is stopped then.
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

// wake has k3d start the stopped nodes in its order: servers, agents, load balancer. It also
// tells nodes again at which address they reach this machine.
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

// recallDisabled tells k3d that CoreDNS is disabled: k3d looks for that in arguments that it
// has only while it creates a node, and otherwise fails to edit a manifest.
func recallDisabled(cluster *k3d.Cluster) {
	for _, n := range cluster.Nodes {
		for _, arg := range n.Cmd {
			if strings.HasPrefix(arg, "--disable") && strings.Contains(arg, "coredns") {
				n.Args = append(n.Args, arg)
			}
		}
	}
}

// refresh restarts the load balancer if it was not restarted with the nodes: it resolves their
// addresses when it starts, and these may have changed.
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
