package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func (c *command) flavors() *cobra.Command {
	return &cobra.Command{
		Use:   "flavors",
		Short: "Compare the flavors, and see which can be used here",
		Long: `Compare the tools that lab can make clusters with, and say for each whether it can
be used on this machine, and if not, why and what mends it.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.Lab.Flavors(cmd.Context())
			if err != nil {
				return err
			}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View { return flavorsView(list) })
		},
	}
}

// flavorsView is a table of what can be said in a word, then a block a flavor with
// what cannot.
func flavorsView(list lab.FlavorList) ui.View {
	d := &ui.Details{}
	overview := ui.NewTable("flavor", "usable here", "vanilla", "stop and start", "load images", "logs")
	for _, f := range list.Items {
		overview.Row(f.Name, ui.State(yesNo(f.Usable)), yesNo(f.Vanilla),
			yesNo(f.Abilities.StopStart), yesNo(f.Abilities.LoadImages), yesNo(f.Abilities.ExportLogs))
	}
	d.Section("Flavors", overview)
	for _, f := range list.Items {
		t := ui.NewTable()
		t.Row("what", f.Summary)
		for _, row := range [][2]string{
			{"not usable", f.Reason}, {"mend", f.Hint},
			{"nodes", f.Nodes}, {"runtime", f.Runtime}, {"network", f.CNI}, {"host mounts", f.Mounts},
			{"brings along", f.Addons}, {"without root", f.Unprivileged},
		} {
			if row[1] != "" {
				t.Row(row[0], row[1])
			}
		}
		d.Section(f.Name, t)
	}
	return d
}
