package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// codeDiffers is the exit code of a `lab diff` that found something.
const codeDiffers = 8

func (c *command) diff() *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "diff [NAME]",
		Short: "Show in what a cluster is not as asked",
		Long: `Show in what a cluster is not as a file, a profile or flags ask, and change nothing.
What "lab up" can change is marked so; for the rest there is "lab up --recreate". The
exit code is 8 where there is a difference, else 0.`,
		Example:           `  lab diff -f lab.yaml`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, request, err := c.asked(o, cmd.Flags(), args)
			if err != nil {
				return err
			}
			diff, err := c.Lab.Diff(cmd.Context(), request)
			if err != nil {
				return err
			}
			if len(diff.Items) == 0 && c.format == ui.FormatTable {
				progress := c.progress("")
				defer progress.Close()
				progress.Note("Cluster %s is as asked.", diff.Name)
				return nil
			}
			if err := ui.Print(c.streams.Out, c.format, diff, func() ui.View { return diffView(diff) }); err != nil {
				return err
			}
			if len(diff.Items) > 0 {
				return exited(codeDiffers)
			}
			return nil
		},
	}
	o.flags(cmd.Flags(), c.Lab.Set.Names())
	cmd.Flags().BoolVar(&o.prune, "prune", false, "count the addons that are not asked for as a difference, too")
	return cmd
}

func diffView(d lab.Diff) ui.View {
	t := ui.NewTable("value", "has", "asked", "by")
	for _, item := range d.Items {
		t.Row(item.Path, item.Has, item.Asked, item.By)
	}
	return t
}
