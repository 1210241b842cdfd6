package k3d

import (
	"context"

	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Stop stops the nodes, all at once, and keeps them stopped when the machine starts.
func (*Provider) Stop(ctx context.Context, name string) error { return containers().Stop(ctx, name) }

// Start starts the nodes that do not run, and waits until the API server answers. On
// error it leaves the cluster as far as it came.
func (p *Provider) Start(ctx context.Context, name string, report providers.Reporter) error {
	return containers().Start(ctx, name, report, func(ctx context.Context, asleep []docker.Container, step *providers.Step) error {
		if len(asleep) == 0 {
			return nil
		}
		return p.wake(ctx, name, step)
	})
}

// wake has k3d start what does not run, in its order: the servers before the agents, and
// the balancer last. It also tells nodes anew at which address they reach this machine.
func (p *Provider) wake(ctx context.Context, name string, step *providers.Step) error {
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
	return p.start(ctx, cluster, opts)
}
