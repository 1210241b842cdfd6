package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func newAddonRemove(c *command) *cobra.Command {
	var name string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:        "remove ADDON...",
		Aliases:    []string{"rm", "uninstall"},
		SuggestFor: []string{"disable", "delete"},
		Short:      "Remove addons from a cluster",
		Long: `Remove addons from a cluster: the objects of their charts, and the namespaces and
custom resource definitions that lab created for them.

lab keeps a namespace that contains objects of something else. It keeps a custom
resource definition that has objects, or that another addon or Helm release uses. lab
prints what it keeps, and the commands that delete it.`,
		Example:           `  lab addon remove hello --name demo`,
		Args:              someAddons,
		ValidArgsFunction: c.completeAddons,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			progress := c.progress(name)
			defer progress.Close()
			for _, addon := range args { // the name of a cluster among them would mean another cluster
				_, err := c.Addons.Definition(name, addon, nil)
				if hinted := c.namesCluster(cmd, args, err); fault.HintOf(hinted) != fault.HintOf(err) {
					return hinted
				}
			}
			for _, addon := range args {
				if err := c.Addons.Remove(ctx, name, addon, progress.Report); err != nil {
					return err
				}
			}
			return nil
		},
	}
	clusterFlag(c, cmd, &name)
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "give up after this time; run the command again to resume")
	return cmd
}
