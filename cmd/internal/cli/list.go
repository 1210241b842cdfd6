package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func newList(c *command) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List clusters",
		Long: `List the clusters that lab created, of every flavor. The state is the same as in
"lab status": list checks the parts, nodes and DNS of each cluster. It does not check
addons: their states in -o json are those that lab saw last.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, problems := c.Inventory.List(cmd.Context(), all)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if errors.Is(problems, inventory.ErrUnreadable) {
				return problems
			}
			progress := c.progress("")
			defer progress.Close()
			c.warn(progress, problems)
			if len(list.Items) == 0 && c.format == ui.FormatTable {
				progress.Note("There are no clusters. Create one: lab up")
				return nil
			}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View { return listView(list, all, c.Inventory.Now()) })
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "include clusters that are not managed by lab")
	return cmd
}

func listView(list output.ClusterList, all bool, now time.Time) ui.View {
	headers := []string{"name", "flavor", "state", "kubernetes", "age"}
	expires := slices.ContainsFunc(list.Items, func(c output.Cluster) bool { return c.ExpiresAt != nil })
	if expires {
		headers = append(headers, "expires")
	}
	addons := slices.ContainsFunc(list.Items, func(c output.Cluster) bool { return len(c.Addons) > 0 })
	if addons {
		headers = append(headers, "addons")
	}
	if all {
		headers = append(headers, "managed")
	}
	t := ui.NewTable(append(headers, "note")...)
	for _, cluster := range list.Items {
		age := ""
		if cluster.CreatedAt != nil {
			age = ui.Duration(now.Sub(*cluster.CreatedAt))
		}
		row := []any{cluster.Name, cluster.Flavor, ui.State(cluster.State), cluster.KubernetesVersion, age}
		if expires {
			row = append(row, expiry(cluster, now))
		}
		if addons {
			row = append(row, addonNames(cluster))
		}
		if all {
			row = append(row, yesNo(cluster.Managed))
		}
		note := cluster.Reason
		if cluster.Hint != "" && note != "" {
			note += " (" + cluster.Hint + ")"
		}
		t.Row(append(row, note)...)
	}
	return t
}

func addonNames(cluster output.Cluster) string {
	var names []string
	for _, a := range cluster.Addons {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
