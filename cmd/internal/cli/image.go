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
		Use:   "load IMAGE...",
		Short: "Load images of this machine into every node",
		Long: `Load images into every node of the cluster, so that its pods can run what never was
in a registry. IMAGE is the name or the ID of an image that Docker has here, or an
archive as docker save or an OCI builder writes it; - is an archive on standard input.
An image without a name is refused, since no pod could refer to it.

Name a tag other than "latest": Kubernetes pulls that one at each start of a pod, unless
the pod says imagePullPolicy: Never.`,
		Example: `  docker build -t shop:v1 . && lab image load shop:v1
  lab image load shop.tar --name demo
  docker save shop:v1 | lab image load -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return providers.WithHint(usage("which image?"), "docker images shows those that are here, then: lab image load IMAGE")
			}
			progress := c.progress(name)
			defer progress.Close()
			for i, arg := range args {
				if arg == "-" {
					args[i] = "/dev/stdin"
				}
			}
			return c.Lab.LoadImages(cmd.Context(), name, args, progress.Report)
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "the cluster")
	return cmd
}
