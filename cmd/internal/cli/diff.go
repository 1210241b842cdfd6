package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// codeDiffers is the exit code of `lab diff` if there is a difference.
const codeDiffers = 8

func newDiff(c *command) *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "diff [NAME]",
		Short: "Show how a cluster differs from what was requested",
		Long: `Show how a cluster differs from what a file, a profile or flags request. diff changes
nothing. For each difference it prints the command that removes it: "lab up", or
"lab up --recreate" for settings that cannot be changed. Add the flags of diff to it.

"lab up" restarts the time to live each time it runs; that is not a difference. Addons
that are not requested are a difference only with --prune.

The exit code is 0 if "lab up" with the same flags would change nothing and everything
is ready, and 8 otherwise.`,
		Example:           `  lab diff -f lab.yaml`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, request, err := upRequest(c, o, args)
			if err != nil {
				return err
			}
			diff, err := c.Clusters.Diff(cmd.Context(), request)
			if err != nil {
				return err
			}
			if c.format == ui.FormatTable {
				progress := c.progress("")
				defer progress.Close()
				if len(diff.Surplus) > 0 && !o.prune {
					progress.Note("Installed, but not in this request: %s. To remove: lab up %s --prune.", strings.Join(diff.Surplus, ", "), diff.Name)
				}
				if len(diff.Items) == 0 {
					progress.Note("Cluster %s is up to date and ready.", diff.Name)
					return nil
				}
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
	o.flags(cmd.Flags(), c.Inventory.Set.Names())
	o.setting(cmd.Flags(), "ttl", "ttl", "time to live, such as 2h")
	cmd.Flags().BoolVar(&o.prune, "prune", false, "report addons that are not requested as differences, too")
	return cmd
}

func diffView(d output.Diff) ui.View {
	t := ui.NewTable("setting", "current", "requested", "command")
	for _, item := range d.Items {
		t.Row(item.Path, item.Has, item.Asked, item.By)
	}
	return t
}
