package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// AddonImageList is the result of `lab addon images`.
type AddonImageList struct {
	output.Meta
	Items []addons.Image `json:"items"`
}

func newAddonImages(c *command) *cobra.Command {
	var o addonOptions
	var file, flavor string
	cmd := &cobra.Command{
		Use:   "images ADDON...",
		Short: "List the images that addons pull",
		Long: `List the images that addons and the addons that they need pull, with the objects that
use each image. Images that programs get as arguments are included.

lab renders the charts for a cluster of the flavor (default: the flavor of your
configuration, or the first). No cluster is needed. Charts that are not cached are
downloaded. Flavors that simulate pods pull no images.`,
		Example: `  lab addon images cert-manager
  lab addon images kube-prometheus-stack --flavor kind -o json
  lab addon images shop -f lab.yaml --offline`,
		Args:              someAddons,
		ValidArgsFunction: c.completeAddons,
	}
	o.flags(cmd.Flags())
	addonFile(cmd.Flags(), &file)
	cmd.Flags().StringVar(&flavor, "flavor", "", "flavor of the cluster: "+strings.Join(c.Inventory.Set.Names(), ", "))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return runAddonImages(c, cmd.Context(), &o, file, flavor, args)
	}
	return cmd
}

func runAddonImages(c *command, ctx context.Context, o *addonOptions, file, flavor string, names []string) error {
	written, err := c.written(file, "")
	if err != nil {
		return err
	}
	q, err := addonRequest(c, o, written.Addons)
	if err != nil {
		return err
	}
	q.Names, q.Written = splitNames(names), q.Names
	images, err := c.Clusters.AddonImages(ctx, clusters.UpRequest{Flavor: flavor, Addons: q})
	if err != nil {
		return err
	}
	list := AddonImageList{output.NewMeta("AddonImageList"), images}
	if list.Items == nil {
		list.Items = []addons.Image{}
	}
	if len(list.Items) == 0 && c.format == ui.FormatTable {
		c.progress("").Note("No images are pulled.")
		return nil
	}
	return ui.Print(c.streams.Out, c.format, list, func() ui.View { return imagesView(list) })
}

func imagesView(list AddonImageList) ui.View {
	t := ui.NewTable("image", "addon", "needed by")
	for _, i := range list.Items {
		needs := i.NeededBy[0]
		if more := len(i.NeededBy) - 1; more > 0 {
			needs += fmt.Sprintf(" and %d more", more)
		}
		t.Row(i.Name, i.Addon, needs)
	}
	return t
}
