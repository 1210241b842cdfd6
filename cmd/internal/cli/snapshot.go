package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newSnapshot(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Save clusters, and create clusters from snapshots",
		Long: `Save a cluster with its objects, addons and data, and create clusters from it in
seconds. Several clusters created from one snapshot can run at the same time, also next
to the saved one: each has its own keys, certificates, tokens and ports.

A snapshot contains the Secrets of the cluster, with all passwords in them. Only your
user can read the files.

"lab flavors" shows which flavors have snapshots.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSnapshotSave(c), newSnapshotRestore(c), newSnapshotList(c), newSnapshotRemove(c),
		newSnapshotExport(c), newSnapshotImport(c))
	return cmd
}

func newSnapshotSave(c *command) *cobra.Command {
	var cluster string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "save NAME",
		Short: "Save a cluster",
		Long: `Save a cluster, running or stopped, under a name. The cluster stays as it is. A save
that fails or is interrupted leaves no snapshot.

The exit code is 4 if there is a snapshot of that name, and 6 if the flavor of the
cluster has no snapshots.`,
		Example: `  lab snapshot save base
  lab snapshot save with-data --cluster demo`,
		Args: snapshotArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			progress := c.progress(cluster)
			defer progress.Close()
			saved, err := c.Snapshots.Save(ctx, args[0], cluster, progress.Report)
			if err != nil {
				return err
			}
			progress.Close()
			if len(saved.Passwords) > 0 {
				progress.Warn("the snapshot contains generated passwords, which all clusters created from it share: %s", strings.Join(saved.Passwords, ", "))
			}
			if c.format == ui.FormatTable {
				progress.Note("Create a cluster from it: lab up NAME --from %s    Remove it: lab snapshot remove %s", saved.Name, saved.Name)
			}
			return ui.Print(c.streams.Out, c.format, saved, func() ui.View { return snapshotView(saved) })
		},
	}
	cmd.Flags().StringVar(&cluster, "cluster", inventory.DefaultName, "the cluster to save")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "give up after this time")
	_ = cmd.RegisterFlagCompletionFunc("cluster", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.completeNames(cmd, nil, "")
	})
	return cmd
}

func newSnapshotRestore(c *command) *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "restore NAME [CLUSTER]",
		Short: "Create a cluster from a snapshot",
		Long: `Create a cluster with the contents and the addons of a snapshot, and wait until it is
ready. CLUSTER defaults to the name of the cluster that was saved. "lab up CLUSTER --from
NAME" does the same for a cluster that does not exist, and accepts more flags.

lab verifies the checksums of the snapshot first. The exit code is 4 if the cluster
exists or a checksum is wrong, and 6 if this machine or this version of lab cannot use
the snapshot.`,
		Example: `  lab snapshot restore base
  lab snapshot restore base demo2 --ttl 2h`,
		Args:              snapshotArgs(1, 2),
		ValidArgsFunction: c.completeSnapshots,
		RunE:              func(cmd *cobra.Command, args []string) error { return runRestore(c, cmd, o, args) },
	}
	f := cmd.Flags()
	o.setting(f, "ttl", "ttl", "time to live from the end of this command, such as 2h (default: no expiry)")
	f.BoolVar(&o.noKubeconfig, "no-kubeconfig", false, "do not change the kubeconfig (lab kubectl works without it)")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time")
	o.waitFlag(f)
	return cmd
}

func runRestore(c *command, cmd *cobra.Command, o *upOptions, args []string) error {
	o.from = args[0]
	name, err := c.Snapshots.Name(o.from)
	if err != nil {
		return err
	}
	if len(args) > 1 {
		name = args[1]
	}
	request, err := requestOf(c, o, o.merged(profiles.Layer{}, []string{name}))
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	progress := c.progress(name)
	defer progress.Close()
	cluster, err := c.Snapshots.Restore(ctx, request, progress.Report)
	if err != nil {
		return err
	}
	progress.Close()
	return upped(c, progress, cluster, o.noKubeconfig)
}

func newSnapshotList(c *command) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List snapshots with their sizes",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			list, problems := c.Snapshots.List()
			if len(list.Items) == 0 && problems != nil {
				return problems
			}
			progress := c.progress("")
			defer progress.Close()
			c.warn(progress, problems)
			if len(list.Items) == 0 && c.format == ui.FormatTable {
				progress.Note("There are no snapshots. Save one: lab snapshot save NAME")
				return nil
			}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View { return snapshotsView(list, c.Inventory.Now()) })
		},
	}
}

func newSnapshotRemove(c *command) *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME...",
		Aliases:           []string{"rm", "delete"},
		Short:             "Remove snapshots",
		Long:              `Remove snapshots. Clusters that were created from them stay.`,
		Example:           `  lab snapshot remove base`,
		Args:              snapshotArgs(1, -1),
		ValidArgsFunction: c.completeSnapshots,
		RunE: func(cmd *cobra.Command, args []string) error {
			var errs []error
			for _, name := range args {
				errs = append(errs, c.Snapshots.Remove(cmd.Context(), name))
			}
			return errors.Join(errs...)
		},
	}
}

// snapshotArgs accepts between least and most arguments; most may be -1 for any number.
func snapshotArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return fault.WithHint(usage("%s requires the name of a snapshot", cmd.CommandPath()), "list the snapshots: lab snapshot list")
		}
		if most >= 0 && len(args) > most {
			return fault.WithHint(usage("%s accepts at most %d arguments, received %q", cmd.CommandPath(), most, args), "show the usage: %s --help", cmd.CommandPath())
		}
		return nil
	}
}

// completeSnapshots completes the names of snapshots.
func (c *command) completeSnapshots(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 && cmd.Name() == "restore" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	list, _ := c.Snapshots.List()
	for _, s := range list.Items {
		names = append(names, s.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func snapshotView(s output.Snapshot) ui.View {
	d := &ui.Details{}
	d.Add("Name", s.Name)
	d.Add("Flavor", s.Flavor)
	d.Add("Cluster", s.Cluster)
	d.Add("Kubernetes", s.KubernetesVersion)
	d.Add("Size", event.Size(s.SizeBytes))
	d.Add("Addons", strings.Join(s.Addons, ", "))
	return d
}

func snapshotsView(list output.SnapshotList, now time.Time) ui.View {
	t := ui.NewTable("name", "flavor", "size", "age", "cluster", "kubernetes", "addons")
	for _, s := range list.Items {
		t.Row(s.Name, s.Flavor, event.Size(s.SizeBytes), ui.Duration(now.Sub(s.CreatedAt)), s.Cluster, s.KubernetesVersion, strings.Join(s.Addons, ", "))
	}
	return t
}

// noteOld names old snapshots, which lab does not remove by itself.
func noteOld(c *command, progress *ui.Progress) {
	var names []string
	var size int64
	for _, s := range c.Snapshots.Old() {
		names = append(names, s.Name)
		size += s.SizeBytes
	}
	if len(names) > 0 {
		progress.Note("Snapshots older than 30 days use %s. Remove them: lab snapshot remove %s", event.Size(size), strings.Join(names, " "))
	}
}
