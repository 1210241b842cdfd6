package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// shownNodes is the maximum number of nodes in a table.
const shownNodes = 20

func newStatus(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show the nodes, addons and addresses of a cluster",
		Long: `Show the state of a cluster, with its nodes, addons and addresses. NAME defaults to
"lab". Components that the configuration of the tool leaves out are shown as missing.

The exit code is 0 if everything that was requested is ready, including addons and,
where pods run, DNS. Otherwise it is 1. Missing components do not change the exit code.`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := c.Clusters.Status(cmd.Context(), nameOf(args))
			if err != nil {
				return err
			}
			if err := c.printCluster(cluster); err != nil {
				return err
			}
			return cluster.Ready()
		},
	}
}

func (c *command) printCluster(cluster output.Cluster) error {
	return ui.Print(c.streams.Out, c.format, cluster, func() ui.View { return clusterView(c, cluster) })
}

func clusterView(c *command, cluster output.Cluster) ui.View {
	d := &ui.Details{}
	d.Add("Name", cluster.Name)
	d.Add("Flavor", cluster.Flavor)
	d.Add("State", ui.State(cluster.State))
	d.Add("Reason", cluster.Reason)
	d.Add("Kubernetes", cluster.KubernetesVersion)
	d.Add("Context", cluster.Context)
	d.Add("Profile", cluster.Profile)
	d.Add("Snapshot", cluster.Snapshot)
	if cluster.CreatedAt != nil {
		d.Add("Age", ui.Duration(c.Inventory.Now().Sub(*cluster.CreatedAt)))
	}
	d.Add("Expires", expiry(cluster, c.Inventory.Now()))
	d.Add("Missing", strings.Join(cluster.Missing, ", "))
	d.Add("Ports", strings.Join(cluster.Ports, ", "))
	d.Add("Mounts", strings.Join(cluster.Mounts, ", "))
	nodes := ui.NewTable("name", "role", "state")
	for i, n := range cluster.Nodes {
		if i == shownNodes {
			break
		}
		state := ui.State("ready")
		if !n.Ready {
			state = "not ready"
		}
		nodes.Row(n.Name, n.Role, state)
	}
	title := fmt.Sprintf("Nodes (%d)", len(cluster.Nodes))
	if len(cluster.Nodes) > shownNodes {
		title = fmt.Sprintf("Nodes (first %d of %d)", shownNodes, len(cluster.Nodes))
	}
	d.Section(title, nodes)
	if len(cluster.Addons) > 0 {
		d.Section("Addons", addonsTable(cluster.Addons))
	}
	return d
}

func addonsTable(list []output.Addon) *ui.Table {
	t := ui.NewTable("name", "version", "state", "address", "note")
	for _, a := range list {
		note := a.Reason
		if a.Simulated && note == "" {
			note = "simulated"
		}
		t.Row(a.Name, a.Version, ui.State(a.State), cmp.Or(strings.Join(a.URLs, " "), a.Open), note)
	}
	return t
}
