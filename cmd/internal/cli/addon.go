package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newAddon(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "addon",
		Short: "Manage addons of a cluster",
		Long: `Manage addons of a cluster. An addon is a Helm chart with values that suit the flavor.
Commands that install addons wait until the addons work.

To define your own addons, add files to the directory "addons" of your configuration
directory, usually ~/.config/lab. "lab addon info ADDON -o yaml" prints an example.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAddonList(c), newAddonInfo(c), newAddonImages(c), newAddonInstall(c), newAddonUpgrade(c), newAddonRemove(c))
	return cmd
}

// AddonList is the result of `lab addon list`.
type AddonList struct {
	output.Meta
	Items []addons.Addon `json:"items"`
}

func newAddonList(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List available addons",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			catalog, err := c.Addons.Catalog()
			if err != nil {
				return err
			}
			list := AddonList{output.Meta{APIVersion: output.APIVersion, Kind: "AddonList"}, catalog.All()}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View {
				t := ui.NewTable("name", "version", "description")
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
	output.Meta
	addons.Addon
}

func newAddonInfo(c *command) *cobra.Command {
	var file, cluster string
	cmd := &cobra.Command{
		Use:   "info ADDON",
		Short: "Show the details of an addon",
		Long: `Show an addon of the catalog, of a file (-f), or of a cluster that was created from
a file. With -o yaml, print its definition as a template for your own addon.`,
		Example: `  lab addon info cert-manager
  lab addon info shop -f lab.yaml
  lab addon info hello -o yaml > shop.yaml`,
		Args:              oneAddon,
		ValidArgsFunction: c.completeAddons,
	}
	clusterFlag(c, cmd, &cluster)
	addonFile(cmd.Flags(), &file)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		written, err := c.written(file, "")
		if err != nil {
			return err
		}
		q, err := addonRequest(c, &addonOptions{}, written.Addons)
		if err != nil {
			return err
		}
		a, err := c.Addons.Definition(clusterOf(cmd, cluster, written), args[0], q.Defined)
		if err != nil {
			return err
		}
		return printAddon(c, a)
	}
	return cmd
}

func printAddon(c *command, a addons.Addon) error {
	switch c.format {
	case ui.FormatTable:
		return ui.PrintView(c.streams.Out, addonView(a))
	case ui.FormatYAML:
		return ui.Print(c.streams.Out, c.format, a, nil)
	}
	info := AddonInfo{output.Meta{APIVersion: output.APIVersion, Kind: "Addon"}, a}
	return ui.Print(c.streams.Out, c.format, info, nil)
}

func addonView(a addons.Addon) ui.View {
	d := &ui.Details{}
	d.Add("Name", a.Name)
	d.Add("Description", a.Summary)
	d.Add("Warning", a.Warning)
	d.Add("Chart", a.Chart.String())
	d.Add("Namespace", a.In())
	for _, need := range a.Needs {
		d.Add("Needs", need)
	}
	for _, other := range a.Conflicts {
		d.Add("Conflicts with", other)
	}
	for _, port := range a.Asks.Ports {
		d.Add("Needs port", fmt.Sprint(port))
	}
	return d
}

func oneAddon(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	err := usage("%s requires the name of one addon", cmd.CommandPath())
	if len(args) == 2 {
		return fault.WithHint(err, "name the cluster with a flag: %s %s --name %s", cmd.CommandPath(), args[0], args[1])
	}
	return fault.WithHint(err, "list the available addons: lab addon list")
}

func someAddons(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return fault.WithHint(usage("%s requires the name of an addon", cmd.CommandPath()), "list the available addons: lab addon list")
}
