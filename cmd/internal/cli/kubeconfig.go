package cli

import (
	"github.com/spf13/cobra"
)

func (c *command) kubeconfig() *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig [NAME]",
		Short: "Print a kubeconfig for the cluster alone",
		Long: `Print a self-contained kubeconfig for the cluster. NAME defaults to "lab". It holds
the keys to the cluster: keep it to yourself.`,
		Example:           `  lab kubeconfig demo > demo.yaml`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := c.Lab.ClusterConfig(cmd.Context(), nameOf(args))
			if err != nil {
				return err
			}
			_, err = c.streams.Out.Write(config)
			return err
		},
	}
}

func (c *command) use() *cobra.Command {
	return &cobra.Command{
		Use:               "use [NAME]",
		Short:             "Make the cluster kubectl's current one",
		Long:              `Make the cluster's context the current one in your kubeconfig, adding it where it is missing. NAME defaults to "lab".`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := c.Lab.Use(cmd.Context(), nameOf(args))
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			progress.Note("kubectl now talks to %s.", cluster.Context)
			return nil
		},
	}
}
