package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The verbs that lab calls itself by, in the background.
const (
	verbGC   = "gc"
	verbReap = "reap"
)

func (c *command) gc() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   verbGC,
		Short: "Delete expired clusters and leftovers",
		Long: `Delete the clusters whose time to live is over, those of a "lab run" that was killed
before it could delete its own, and those whose creation or removal was interrupted.
Every other call of lab deletes the first two in the background; this one waits until
it is done. It keeps clusters that another lab process works on, that a running
"lab run" uses, or that lab did not create.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			progress := c.progress("")
			defer progress.Close()
			names, problems := c.Lab.Due()
			if len(names) == 0 && problems == nil {
				progress.Note("There is nothing to delete.")
				return nil
			}
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			return c.Lab.Collect(ctx, progress.Report)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "give up after this time; gc can be called again")
	return cmd
}

// reap is what `lab up --ttl` leaves behind.
func (c *command) reap() *cobra.Command {
	return &cobra.Command{
		Use:    verbReap + " NAME",
		Short:  "Wait until the time of a cluster is over, and delete it",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(cmd *cobra.Command, args []string) error { return c.Lab.Watch(cmd.Context(), args[0]) },
	}
}

func (c *command) extend() *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "extend [NAME] --ttl 2h",
		Short: "Give a cluster more time to live, or less",
		Long: `Let the cluster live for this long from now on, whatever its time was before. With
--ttl 0 it lives until somebody deletes it. NAME defaults to "lab".`,
		Example: `  lab extend demo --ttl 2h
  lab extend demo --ttl 0          for ever`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("ttl") {
				return fault.WithHint(usage("for how long?"), "for example: lab extend %s --ttl 2h", nameOf(args))
			}
			cluster, err := c.Lab.Extend(cmd.Context(), nameOf(args), ttl)
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			c.watch(progress, cluster)
			return c.printCluster(cluster)
		},
	}
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long from now on, such as 2h; 0 is for ever")
	return cmd
}

// watch leaves a process behind that deletes the cluster when its time is over. Without
// it some later call of lab does.
func (c *command) watch(progress *ui.Progress, cluster lab.Cluster) {
	if cluster.ExpiresAt == nil {
		return
	}
	if err := detach(verbReap, cluster.Name); err != nil {
		progress.Warn("nothing waits for the end of %s, so the next call of lab after it will delete it: %v", cluster.Name, err)
	}
}

// sweep has everything deleted that is due, by a process of its own, so that no command
// is slower for it.
func (c *command) sweep() {
	if c.verb == verbGC || c.verb == verbReap || c.unbuilt != nil || c.Lab.Misconfigured != nil || len(c.Lab.Expired()) == 0 {
		return
	}
	_ = detach(verbGC, "--progress", string(ui.ModeQuiet)) // the next call tries again
}

// expiry says when the cluster's time is over; "" where it never is.
func expiry(cluster lab.Cluster, now time.Time) string {
	switch {
	case cluster.ExpiresAt == nil:
		return ""
	case !now.Before(*cluster.ExpiresAt):
		return "now"
	}
	return "in " + ui.Duration(cluster.ExpiresAt.Sub(now))
}
