package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers/event"
)

func newStart(c *command) *cobra.Command {
	level := inventory.WaitAll
	cmd := newPower(c, &cobra.Command{
		Use:   "start [NAME]",
		Short: "Start a stopped cluster, or repair a broken one",
		Long: `Start a cluster with its contents, and wait until it is ready. NAME defaults to
"lab". start also repairs a cluster after a crash or a restart of the machine, and
recreates a missing network or load balancer.

--wait sets what start waits for:
  api    the API server answers
  nodes  the API server answers, and all nodes are ready
  all    the API server answers, all nodes are ready, and DNS and the addons work

start makes the context of the cluster current in your kubeconfig, unless the cluster was
created with --no-kubeconfig.

The exit code is 0 if the cluster is ready, 3 if there is no such cluster, and 7 after
--timeout.`,
	}, func(ctx context.Context, name string, report event.Reporter) (output.Cluster, error) {
		return c.Clusters.Start(ctx, name, level, report)
	})
	cmd.Flags().Var(&level, "wait", "what to wait for")
	return cmd
}

func newStop(c *command) *cobra.Command {
	return newPower(c, &cobra.Command{
		Use:   "stop [NAME]",
		Short: "Stop a cluster and keep its contents",
		Long: `Stop a cluster and keep its contents. NAME defaults to "lab". A stopped cluster uses
no CPU and no memory. To start it again, use "lab start". Stopping a stopped cluster
changes nothing.`,
	}, c.Clusters.Stop)
}

// newPower adds what start and stop have in common. do is what differs.
func newPower(c *command, cmd *cobra.Command, do func(context.Context, string, event.Reporter) (output.Cluster, error)) *cobra.Command {
	var timeout time.Duration
	cmd.Args = oneName
	cmd.ValidArgsFunction = c.completeNames
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "give up after this time; run the command again to resume")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, cancel := withTimeout(cmd.Context(), timeout)
		defer cancel()
		progress := c.progress(nameOf(args))
		defer progress.Close()
		cluster, err := do(ctx, nameOf(args), progress.Report)
		if err != nil {
			return err
		}
		progress.Close()
		c.watch(progress, cluster) // a restart of the machine has ended the process that did
		warnMissing(progress, cluster)
		return c.printCluster(cluster)
	}
	return cmd
}
