package k3d

import (
	"context"
	"errors"
	"fmt"

	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/config"
	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"
	"github.com/k3d-io/k3d/v5/pkg/types/fixes"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// make makes the cluster in the steps of which k3d's own ClusterRun consists: that one
// leaves work behind on the side when it fails. Whatever ends it, nothing is left.
func (p *Provider) make(ctx context.Context, full *v1alpha5.ClusterConfig, spec providers.Spec, report event.Reporter) error {
	err := report.Do("Creating the nodes", func(step *event.Step) error {
		defer p.messages.follow(full.Name, step)()
		if err := build(ctx, full); err != nil {
			return explain(err)
		}
		return ctx.Err()
	})
	if err == nil {
		err = report.Do("Starting the nodes", func(step *event.Step) error {
			defer p.messages.follow(full.Name, step)()
			return p.launch(ctx, full)
		})
	}
	if err == nil {
		err = report.Do("Waiting for the API server", func(step *event.Step) error {
			return containers().AwaitAPI(ctx, full.Name, step)
		})
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		return nil
	}
	return p.undo(ctx, spec, err)
}

// build makes the network, the volumes and the containers. It is never cut short: a
// request that the engine has been sent is carried out, whether or not somebody waits for
// the answer, and what came of it then could not be known.
func build(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	ctx = context.WithoutCancel(ctx)
	fixes.GetFixes(runtimes.Docker) // it remembers them without a lock
	if err := config.ValidateClusterConfig(ctx, runtimes.Docker, *full); err != nil {
		return invalid("%w", err)
	}
	opts := full.ClusterCreateOpts
	full.ClusterCreateOpts.Timeout = 0 // for the start alone
	err := client.ClusterPrep(ctx, runtimes.Docker, full)
	if err == nil {
		err = client.ClusterCreate(ctx, runtimes.Docker, &full.Cluster, &full.ClusterCreateOpts)
	}
	full.ClusterCreateOpts.Timeout = opts.Timeout
	return err
}

// launch starts the containers, and returns when k3s in each says that it is up.
func (p *Provider) launch(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	env, err := environment(ctx, &full.Cluster, p.opts.ToolsImage)
	if err != nil {
		return explain(err)
	}
	opts := full.ClusterCreateOpts
	ctx, stop := untilDeath(ctx, full.Name)
	defer stop()
	err = p.start(ctx, &full.Cluster, k3d.ClusterStartOpts{
		WaitForServer: true, Timeout: opts.Timeout, NodeHooks: opts.NodeHooks, HostAliases: opts.HostAliases,
		EnvironmentInfo: env, Intent: k3d.IntentClusterCreate,
	})
	if err == nil && len(opts.Registries.Use) > 0 {
		// Tells tools in the cluster of its registries; k3d, too, does without if it fails.
		_ = runtimes.Docker.ExecInNode(ctx, &k3d.Node{Name: client.GenerateNodeName(full.Name, k3d.ServerRole, 0)},
			[]string{"kubectl", "apply", "--filename=" + k3d.DefaultLocalRegistryHostingConfigmapTempPath})
	}
	return err
}

// untilDeath returns a context that ends when a node dies or is paused, for that cause:
// k3d would wait for its words for ever.
func untilDeath(ctx context.Context, name string) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	died, unwatch := containers().Watch(ctx, name)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case err := <-died:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-done; unwatch() }
}

// start has k3d start what does not run of a cluster, and removes the files that it leaves
// on this machine each time.
func (p *Provider) start(ctx context.Context, cluster *k3d.Cluster, opts k3d.ClusterStartOpts) error {
	defer func() {
		if found, err := containers().Find(context.WithoutCancel(ctx), cluster.Name); err == nil {
			removeHostsFiles(found)
		}
	}()
	err := client.ClusterStart(ctx, runtimes.Docker, cluster, opts)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return lastWords(ctx, cluster.Name, explain(err))
	}
	return nil
}

// undo removes what a creation left that failed, and returns why it failed, with the place
// where its logs are.
func (p *Provider) undo(ctx context.Context, spec providers.Spec, failed error) error {
	ref := providers.Ref{Provider: Name, Name: spec.Name, Mark: spec.Mark}
	ctx = context.WithoutCancel(ctx)
	if !errors.Is(failed, fault.ErrExists) {
		tool := containers()
		if len(spec.Native) > 0 {
			tool.Settings = settings
		}
		failed = tool.WithLogs(ctx, ref.Name, spec.LogsDir, failed, func(ctx context.Context, dir string) error {
			return p.ExportLogs(ctx, ref, dir)
		})
	}
	if err := sweep(ctx, ref); err != nil {
		return fmt.Errorf("%w\ncannot remove all leftovers: %w", failed, err)
	}
	return failed
}
