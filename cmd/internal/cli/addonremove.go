package cli

import (
	"time"

	"github.com/spf13/cobra"
)

func (c *command) addonRemove() *cobra.Command {
	var name string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "remove ADDON...",
		Aliases: []string{"rm", "uninstall"},
		Short:   "Remove addons from a cluster",
		Long: `Remove addons from a cluster: the objects of their charts, and the namespaces and
custom resource definitions that lab created for them. A namespace is
kept while it has objects that do not belong to the addon. A definition is kept while
it has objects, or another addon or Helm release uses it. lab prints what it keeps and
how to delete it.`,
		Example:           `  lab addon remove hello --name demo`,
		Args:              someAddons,
		ValidArgsFunction: c.completeAddons,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			progress := c.progress(name)
			defer progress.Close()
			for _, addon := range args {
				if err := c.Lab.RemoveAddon(ctx, name, addon, progress.Report); err != nil {
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
