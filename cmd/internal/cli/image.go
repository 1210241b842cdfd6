package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newImage(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Manage images in a cluster",
		Args:  onlyVerbs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newImageLoad(c))
	return cmd
}

func newImageLoad(c *command) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:        "load IMAGE...",
		SuggestFor: []string{"import"},
		Short:      "Load local images into every node",
		Long: `Load images into every node of the cluster, so that pods can use them without a
registry. IMAGE is the name or ID of an image of the local Docker Engine, or an archive
in the format of docker save or OCI; - reads an archive from standard input. An image
must have a name, because pods refer to images by name.

Use a tag other than "latest": Kubernetes pulls "latest" each time a pod starts, unless
the pod sets imagePullPolicy: Never.`,
		Example: `  docker build -t shop:v1 . && lab image load shop:v1
  lab image load shop.tar --name demo
  docker save shop:v1 | lab image load -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.WithHint(usage("%s requires an image", cmd.CommandPath()), "list the local images: docker images")
			}
			progress := c.progress(name)
			defer progress.Close()
			for i, arg := range args {
				if arg == "-" {
					args[i] = "/dev/stdin"
				}
			}
			return c.Images.Load(cmd.Context(), name, args, progress.Report)
		},
	}
	cmd.Flags().StringVar(&name, "name", inventory.DefaultName, "name of the cluster")
	return cmd
}
