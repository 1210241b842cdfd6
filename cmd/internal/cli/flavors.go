package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func newFlavors(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "flavors",
		Short: "Compare the flavors and show which are usable",
		Long: `Compare the tools that can create clusters. For each flavor, show whether it is usable
on this machine, and if not, the reason and the command that fixes it.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := machine.Flavors(cmd.Context(), c.Inventory.Set)
			if err != nil {
				return err
			}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View { return flavorsView(list) })
		},
	}
}

// flavorsView returns a table that compares the flavors, then a section for each flavor.
func flavorsView(list machine.FlavorList) ui.View {
	d := &ui.Details{}
	overview := ui.NewTable("flavor", "usable", "vanilla", "stop and start", "load images", "export logs", "snapshots")
	for _, f := range list.Items {
		overview.Row(f.Name, ui.State(yesNo(f.Usable)), yesNo(f.Vanilla),
			yesNo(f.Abilities.StopStart), yesNo(f.Abilities.LoadImages), yesNo(f.Abilities.ExportLogs), yesNo(f.Abilities.Snapshots))
	}
	d.Section("Flavors", overview)
	for _, f := range list.Items {
		t := ui.NewTable()
		t.Row("description", f.Summary)
		for _, row := range [][2]string{
			{"not usable", f.Reason}, {"fix", f.Hint},
			{"nodes", f.Nodes}, {"runtime", f.Runtime}, {"network", f.CNI}, {"host mounts", f.Mounts},
			{"bundled", f.Addons}, {"without root", f.Unprivileged},
		} {
			if row[1] != "" {
				t.Row(row[0], row[1])
			}
		}
		d.Section(f.Name, t)
	}
	return d
}
