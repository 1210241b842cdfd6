package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers"
)

func (c *command) addon() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "addon",
		Short: "Put addons onto a cluster, and see which there are",
		Long: `Put addons onto a cluster: charts with the values that each kind of cluster needs,
which count as installed when they work. Your own addons are files in the directory
addons of your configuration, in the form that lab addon info prints.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.addonList(), c.addonInfo(), c.addonInstall(), c.addonUpgrade(), c.addonRemove())
	return cmd
}

// AddonList is the result of `lab addon list`.
type AddonList struct {
	lab.Meta
	Items []addons.Addon `json:"items"`
}

func (c *command) addonList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the addons that there are",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			catalog, err := c.Lab.Catalog()
			if err != nil {
				return err
			}
			list := AddonList{lab.Meta{APIVersion: lab.APIVersion, Kind: "AddonList"}, catalog.All()}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View {
				t := ui.NewTable("name", "version", "what")
				for _, a := range list.Items {
					t.Row(a.Name, a.Chart.Version, a.Summary)
				}
				return t
			})
		},
	}
}

// AddonInfo is the result of `lab addon info`.
type AddonInfo struct {
	lab.Meta
	addons.Addon
}

func (c *command) addonInfo() *cobra.Command {
	return &cobra.Command{
		Use:   "info ADDON",
		Short: "Show an addon: its chart, what it needs, and what it is told",
		Long: `Show an addon of the catalogue. With -o yaml it is printed in the form in which you
write your own.`,
		Example: `  lab addon info cert-manager
  lab addon info hello -o yaml > shop.yaml`,
		Args:              oneAddon,
		ValidArgsFunction: c.completeAddons,
		RunE: func(_ *cobra.Command, args []string) error {
			catalog, err := c.Lab.Catalog()
			if err != nil {
				return err
			}
			a, err := catalog.Get(args[0])
			if err != nil {
				return err
			}
			if c.format == ui.FormatTable {
				return ui.PrintView(c.streams.Out, addonView(a))
			}
			if c.format == ui.FormatYAML {
				return ui.Print(c.streams.Out, c.format, a, nil)
			}
			info := AddonInfo{lab.Meta{APIVersion: lab.APIVersion, Kind: "Addon"}, a}
			return ui.Print(c.streams.Out, c.format, info, nil)
		},
	}
}

func addonView(a addons.Addon) ui.View {
	d := &ui.Details{}
	d.Add("Name", a.Name)
	d.Add("What", a.Summary)
	d.Add("Warning", a.Warning)
	d.Add("Chart", a.Chart.String())
	d.Add("Namespace", a.In())
	for _, need := range a.Needs {
		d.Add("Needs", need)
	}
	for _, other := range a.Conflicts {
		d.Add("Not beside", other)
	}
	for _, port := range a.Asks.Ports {
		d.Add("Publishes", fmt.Sprintf("port %d", port))
	}
	return d
}

func oneAddon(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return providers.WithHint(usage("%s takes the name of one addon", cmd.CommandPath()), "lab addon list shows those that there are")
}

func someAddons(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return providers.WithHint(usage("%s takes the names of addons", cmd.CommandPath()), "lab addon list shows those that there are")
}

func (c *command) addonInstall() *cobra.Command {
	return c.addonWork(&cobra.Command{
		Use:   "install ADDON...",
		Short: "Install addons, and wait until they work",
		Long: `Install addons on a cluster, with those that they need, and wait until they work.
What is there already, as asked, stays as it is. What was interrupted is gone on with.`,
		Example: `  lab addon install cert-manager
  lab addon install hello --set hello.replicas=2 --name demo`,
		Args: someAddons,
	}, false)
}

func (c *command) addonUpgrade() *cobra.Command {
	return c.addonWork(&cobra.Command{
		Use:   "upgrade ADDON...",
		Short: "Bring addons to the versions of the catalogue",
		Long: `Bring addons of a cluster to the versions and values of the catalogue. Values that
you gave before are kept. --dry-run shows what would change.`,
		Example: `  lab addon upgrade cert-manager --dry-run
  lab addon upgrade cert-manager`,
		Args: someAddons,
	}, true)
}

// addonWork completes the two commands that differ in whether what is there is upgraded.
func (c *command) addonWork(cmd *cobra.Command, upgrade bool) *cobra.Command {
	o := &addonOptions{}
	var name string
	var timeout time.Duration
	var dryRun bool
	cmd.ValidArgsFunction = c.completeAddons
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.names = args
		q, err := o.request()
		if err != nil {
			return err
		}
		q.Upgrade = upgrade
		ctx, cancel := withTimeout(cmd.Context(), timeout)
		defer cancel()
		progress := c.progress(name)
		defer progress.Close()
		if dryRun {
			changes, err := c.Lab.PreviewAddons(ctx, name, q)
			if err != nil {
				return err
			}
			return ui.Print(c.streams.Out, c.format, changes, func() ui.View { return changesView(changes) })
		}
		if err := c.warnOf(progress, q.Names); err != nil {
			return err
		}
		cluster, err := c.Lab.InstallAddons(ctx, name, q, progress.Report)
		if err != nil {
			return err
		}
		progress.Close()
		return c.printCluster(cluster)
	}
	o.flags(cmd.Flags())
	c.clusterFlag(cmd, &name)
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "give up after this time; the command can be called again")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would change, and change nothing")
	return cmd
}

func changesView(changes lab.AddonChanges) ui.View {
	t := ui.NewTable("addon", "change", "object")
	for _, item := range changes.Items {
		for _, change := range item.Changes {
			t.Row(item.Addon, change.Verb, change.Object.String())
		}
	}
	return t
}

// clusterFlag names the cluster where the arguments name something else.
func (c *command) clusterFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "name", lab.DefaultName, "the cluster")
	_ = cmd.RegisterFlagCompletionFunc("name", func(cmd *cobra.Command, _ []string, s string) ([]string, cobra.ShellCompDirective) {
		return c.completeNames(cmd, nil, s)
	})
}

func (c *command) addonRemove() *cobra.Command {
	var name string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "remove ADDON...",
		Short: "Take addons out of a cluster",
		Long: `Take addons out of a cluster, with all that they made. What somebody else put there
stays, and what it needs, too: a custom resource definition of which there are
objects, a namespace in which something is. It is said what stays.`,
		Example:           `  lab addon remove hello --name demo`,
		Args:              someAddons,
		ValidArgsFunction: c.completeAddons,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			progress := c.progress(name)
			defer progress.Close()
			for _, addon := range args {
				kept, err := c.Lab.RemoveAddon(ctx, name, addon, progress.Report)
				for _, k := range kept {
					progress.Warn("%s stays: %s", k.Object, k.Reason)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.clusterFlag(cmd, &name)
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "give up after this time; the command can be called again")
	return cmd
}
