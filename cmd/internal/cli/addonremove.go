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
		Short:   "Take addons out of a cluster",
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
