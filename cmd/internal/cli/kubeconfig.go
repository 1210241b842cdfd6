package cli

import (
	"github.com/spf13/cobra"
)

func newKubeconfig(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig [NAME]",
		Short: "Print the kubeconfig of a cluster",
		Long: `Print a self-contained kubeconfig for the cluster. NAME defaults to "lab". The
kubeconfig contains credentials: keep it secret.`,
		Example:           `  lab kubeconfig demo > demo.yaml`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := c.Clusters.Config(cmd.Context(), nameOf(args))
			if err != nil {
				return err
			}
			_, err = c.streams.Out.Write(config)
			return err
		},
	}
}

func newUse(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "use [NAME]",
		Short: "Switch kubectl to a cluster",
		Long: `Make the context of the cluster the current context of your kubeconfig. Missing
kubeconfig entries are added. NAME defaults to "lab".`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := c.Clusters.Use(cmd.Context(), nameOf(args))
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			progress.Note("kubectl now uses context %s.", cluster.Context)
			return nil
		},
	}
}
