package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newImage(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Manage images in a cluster",
		Args:  onlyVerbs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newImageBuild(c), newImageLoad(c))
	return cmd
}

func newImageBuild(c *command) *cobra.Command {
	var name string
	var b providers.Build
	cmd := &cobra.Command{
		Use:   "build PATH",
		Short: "Build an image, and load it into every node",
		Long: `Build an image with the Docker Engine of this machine, as "docker build" does, and load it
into every node of the cluster. PATH is the build context: a directory, the URL of a Git
repository, or - for an archive or a Dockerfile on standard input. The Docker Engine keeps
the image. --verbose prints all output of docker if the build fails.

Use a tag other than "latest": Kubernetes pulls "latest" each time a pod starts, unless
the pod sets imagePullPolicy: Never.

The exit code is 6, before anything is built, if the cluster simulates containers, 5 if
the Docker Engine does not answer or lacks BuildKit that the build needs, and 1 if the
build fails.`,
		Example: `  lab image build -t shop:v1 .
  lab image build -t shop:v2 -f deploy/Dockerfile --build-arg VERSION=2 --name demo .`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.WithHint(usage("%s requires one argument, the build context, received %d", cmd.CommandPath(), len(args)), "for the current directory: %s -t NAME:TAG .", cmd.CommandPath())
			}
			if len(b.Tags) == 0 || slices.Contains(b.Tags, "") {
				return fault.WithHint(usage("the image needs a name, because pods refer to images by name"), "name it: %s -t NAME:TAG %s", cmd.CommandPath(), fault.ShellWord(args[0]))
			}
			b.Context = args[0]
			if strings.HasPrefix(b.Context, "-") && b.Context != "-" { // a directory, not a flag of docker
				b.Context = "./" + b.Context
			}
			if b.Context == "-" {
				b.Stdin = c.streams.In
			}
			progress := c.progress(name)
			defer progress.Close()
			return c.Images.Build(cmd.Context(), name, b, progress.Report)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", inventory.DefaultName, "name of the cluster")
	f.StringArrayVarP(&b.Tags, "tag", "t", nil, "name of the image, as NAME:TAG; can be repeated")
	f.StringVarP(&b.File, "file", "f", "", "the Dockerfile (default: PATH/Dockerfile)")
	f.StringArrayVar(&b.Args, "build-arg", nil, "build argument, as NAME=VALUE; can be repeated")
	f.StringVar(&b.Target, "target", "", "stage of the Dockerfile to build (default: the last)")
	f.StringVar(&b.Platform, "platform", "", "platform of the image, such as linux/arm64 (default: that of the engine)")
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
must have a name, because pods refer to images by name. An image that the Docker Engine
lacks comes from an imported bundle, if one has it.

Use a tag other than "latest": Kubernetes pulls "latest" each time a pod starts, unless
the pod sets imagePullPolicy: Never.`,
		Example: `  docker pull nginx:1.29 && lab image load nginx:1.29
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
