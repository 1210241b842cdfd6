package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
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
	var file, cluster string
	cmd := &cobra.Command{
		Use:   "info ADDON",
		Short: "Show an addon: its chart, what it needs, and its values",
		Long: `Show an addon of the catalogue, of a lab.yaml (-f), or of a cluster that was created
from one. -o yaml prints its definition as a template for your own.`,
		Example: `  lab addon info cert-manager
  lab addon info shop -f lab.yaml
  lab addon info hello -o yaml > shop.yaml`,
		Args:              oneAddon,
		ValidArgsFunction: c.completeAddons,
	}
	c.clusterFlag(cmd, &cluster)
	addonFile(cmd.Flags(), &file)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		written, err := c.written(file, "")
		if err != nil {
			return err
		}
		q, err := c.addonRequest(&addonOptions{}, written.Addons)
		if err != nil {
			return err
		}
		a, err := c.Lab.Addon(clusterOf(cmd, cluster, written), args[0], q.Defined)
		if err != nil {
			return err
		}
		return c.printAddon(a)
	}
	return cmd
}

func (c *command) printAddon(a addons.Addon) error {
	switch c.format {
	case ui.FormatTable:
		return ui.PrintView(c.streams.Out, addonView(a))
	case ui.FormatYAML:
		return ui.Print(c.streams.Out, c.format, a, nil)
	}
	info := AddonInfo{lab.Meta{APIVersion: lab.APIVersion, Kind: "Addon"}, a}
	return ui.Print(c.streams.Out, c.format, info, nil)
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
	return fault.WithHint(usage("%s takes the name of one addon", cmd.CommandPath()), "lab addon list shows those that there are")
}

func someAddons(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return fault.WithHint(usage("%s takes the names of addons", cmd.CommandPath()), "lab addon list shows those that there are")
}
