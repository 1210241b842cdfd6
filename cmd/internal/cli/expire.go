package cli

import (
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The verbs that lab runs in background processes.
const (
	verbGC   = "gc"
	verbReap = "reap"
)

func newGC(c *command) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   verbGC,
		Short: "Delete expired clusters and leftovers",
		Long: `Delete expired clusters, clusters of a "lab run" that was killed, and clusters whose
creation or deletion was interrupted. Every lab command deletes the first two kinds in
the background; gc waits until they are deleted.

gc also removes the leftovers of interrupted snapshots. It keeps complete snapshots, and
names those that are older than 30 days.

gc keeps clusters that another lab process is working on, that a running "lab run" uses,
or that are not managed by lab.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			progress := c.progress("")
			defer progress.Close()
			names, problems := c.Expiry.Due()
			left := c.Snapshots.Leftovers()
			noteOld(c, progress)
			if len(names) == 0 && !left && problems == nil {
				progress.Note("There is nothing to delete.")
				return nil
			}
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			err := c.Expiry.Collect(ctx, progress.Report)
			if left {
				err = errors.Join(err, c.Snapshots.Sweep(progress.Report))
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "give up after this time; run the command again to resume")
	return cmd
}

// newReap is the command of the background process that `lab up --ttl` starts.
func newReap(c *command) *cobra.Command {
	return &cobra.Command{
		Use:    verbReap + " NAME",
		Short:  "Wait until a cluster expires, and delete it",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(cmd *cobra.Command, args []string) error { return c.Expiry.Watch(cmd.Context(), args[0]) },
	}
}

func newExtend(c *command) *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "extend [NAME] --ttl 2h",
		Short: "Set the time to live of a cluster",
		Long: `Set the time to live of a cluster, counted from now. It replaces the previous time
to live, whether it is longer or shorter. With --ttl 0 the cluster does not expire.
NAME defaults to "lab".`,
		Example: `  lab extend demo --ttl 2h
  lab extend demo --ttl 0          does not expire`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("ttl") {
				return fault.WithHint(usage("lab extend requires --ttl"), "for example: lab extend %s --ttl 2h", nameOf(args))
			}
			cluster, err := c.Expiry.Extend(cmd.Context(), nameOf(args), ttl)
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			c.watch(progress, cluster)
			return c.printCluster(cluster)
		},
	}
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "time to live from now on, such as 2h; 0 means no expiry")
	return cmd
}

// watch starts a background process that deletes the cluster when it expires. Without the
// process, the next lab command after that deletes the cluster.
func (c *command) watch(progress *ui.Progress, cluster output.Cluster) {
	if cluster.ExpiresAt == nil {
		return
	}
	if err := detach(verbReap, cluster.Name); err != nil {
		progress.Warn("cannot start the process that deletes %s when it expires, so the next lab command after that deletes it: %v", cluster.Name, err)
	}
}

// sweep starts a background process that deletes expired clusters, if there are any, so that
// no command waits for that.
func (c *command) sweep() {
	if c.verb == verbGC || c.verb == verbReap || c.unbuilt != nil || c.Doctor.Misconfigured != nil || len(c.Expiry.Expired()) == 0 {
		return
	}
	_ = detach(verbGC, "--progress", string(ui.ModeQuiet)) // the next command tries again
}

// expiry returns when the cluster expires: "in 2h", "now", or "" for never.
func expiry(cluster output.Cluster, now time.Time) string {
	switch {
	case cluster.ExpiresAt == nil:
		return ""
	case !now.Before(*cluster.ExpiresAt):
		return "now"
	}
	return "in " + ui.Duration(cluster.ExpiresAt.Sub(now))
}

// detach starts this program with args in a new session. The process outlives the command
// and its terminal, and inherits no files. It keeps the working directory, because paths in
// its environment may be relative.
func detach(args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, args...)
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
