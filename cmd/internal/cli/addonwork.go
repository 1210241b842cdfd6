package cli

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/profiles"
)

func newAddonInstall(c *command) *cobra.Command {
	return newAddonWork(c, &cobra.Command{
		Use:        "install ADDON...",
		Aliases:    []string{"add"},
		SuggestFor: []string{"enable"},
		Short:      "Install addons and wait until they work",
		Long: `Install addons on a cluster, and the addons that they need, and wait until they work.
Addons that are up to date are not changed. Interrupted installs are resumed.`,
		Example: `  lab addon install cert-manager
  lab addon install hello --set hello.replicas=2 --name demo`,
		Args: someAddons,
	}, false)
}

func newAddonUpgrade(c *command) *cobra.Command {
	return newAddonWork(c, &cobra.Command{
		Use:   "upgrade ADDON...",
		Short: "Update addons to their current definitions",
		Long: `Update addons of a cluster to their definitions in the catalog or, with -f, in a
file. An addon that was installed from a file is updated from the directory of its
chart, also without -f.

Values that were set before are kept, unless the file contains the addon or
--reset-values is set.`,
		Example: `  lab addon upgrade shop -f lab.yaml
  lab addon upgrade cert-manager --dry-run
  lab addon upgrade cert-manager`,
		Args: someAddons,
	}, true)
}

// workOptions are the options of addon install and addon upgrade.
type workOptions struct {
	addonOptions
	args    []string
	upgrade bool
	reset   bool
	file    string
	cluster string
	timeout time.Duration
	dryRun  bool
}

// newAddonWork adds what addon install and addon upgrade have in common.
func newAddonWork(c *command, cmd *cobra.Command, upgrade bool) *cobra.Command {
	o := &workOptions{upgrade: upgrade}
	cmd.ValidArgsFunction = c.completeAddons
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.args = args
		return c.namesCluster(cmd, args, runAddonWork(c, cmd, o))
	}
	o.flags(cmd.Flags())
	clusterFlag(c, cmd, &o.cluster)
	addonFile(cmd.Flags(), &o.file)
	cmd.Flags().BoolVar(&o.reset, "reset-values", false, "discard the values that were set before")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time; run the command again to resume")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "print what would change, without changing anything")
	return cmd
}

func runAddonWork(c *command, cmd *cobra.Command, o *workOptions) error {
	written, err := c.written(o.file, "")
	if err != nil {
		return err
	}
	o.cluster = clusterOf(cmd, o.cluster, written)
	q, err := addonRequest(c, &o.addonOptions, written.Addons)
	if err != nil {
		return err
	}
	q.Names, q.Written, q.Upgrade, q.Reset = splitNames(o.args), q.Names, o.upgrade, o.reset
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	if o.dryRun {
		changes, err := c.Addons.Preview(ctx, o.cluster, q)
		if err != nil {
			return err
		}
		return ui.Print(c.streams.Out, c.format, changes, func() ui.View { return changesView(changes) })
	}
	progress := c.progress(o.cluster)
	defer progress.Close()
	if err := warnOf(c, progress, q.Names); err != nil {
		return err
	}
	cluster, err := c.Addons.Install(ctx, o.cluster, q, progress.Report)
	if err != nil {
		return err
	}
	progress.Close()
	return c.printCluster(cluster)
}

func changesView(changes clusteraddons.Changes) ui.View {
	t := ui.NewTable("addon", "change", "object")
	for _, item := range changes.Items {
		for _, change := range item.Changes {
			t.Row(item.Addon, change.Verb, change.Object.String())
		}
	}
	return t
}

// addonFile adds the flag -f to commands on addons.
func addonFile(f *pflag.FlagSet, file *string) {
	f.StringVarP(file, "file", "f", "", "`file` with definitions and values of addons (- is standard input)")
}

// clusterOf returns the name of the cluster for a command on addons: that of --name, else
// that of the file.
func clusterOf(cmd *cobra.Command, name string, written profiles.Layer) string {
	if cmd.Flags().Changed("name") || written.Name == "" {
		return name
	}
	return string(written.Name)
}

// clusterFlag adds --name to commands whose arguments do not name the cluster.
func clusterFlag(c *command, cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "name", inventory.DefaultName, "name of the cluster")
	_ = cmd.RegisterFlagCompletionFunc("name", func(cmd *cobra.Command, _ []string, s string) ([]string, cobra.ShellCompDirective) {
		return c.completeNames(cmd, nil, s)
	})
}
