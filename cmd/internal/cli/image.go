package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/providers"
)

func (c *command) image() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Put images into the cluster",
		Args:  onlyVerbs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.imageLoad())
	return cmd
}

func (c *command) imageLoad() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "load ARCHIVE...",
		Short: "Load archives of images into every node",
		Long: `Load archives, as docker save writes them, into every node of the cluster, so that
its pods can run images that never were in a registry.`,
		Example: `  docker save shop:v1 -o shop.tar
  lab image load shop.tar --name demo`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return providers.WithHint(usage("which archive?"), "docker save IMAGE -o image.tar, then lab image load image.tar")
			}
			progress := c.progress(name)
			defer progress.Close()
			for _, archive := range args {
				if err := c.Lab.LoadImages(cmd.Context(), name, archive, progress.Report); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "the cluster")
	return cmd
}
