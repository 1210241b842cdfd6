package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/bundles"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
)

// Diagnosis is the result of `lab doctor`.
type Diagnosis struct {
	machine.Diagnosis
	Downloads *bundles.Needs `json:"downloads,omitempty"` // of the lab that the flags describe
}

func newDoctor(c *command) *cobra.Command {
	o := &bundleOptions{}
	cmd := &cobra.Command{
		Use:   verbDoctor,
		Short: "Check this machine for problems",
		Long: `Check whether lab can create clusters on this machine, and report what may cause
problems: the container engine and its resources, disk, kernel, limits, ports, proxies,
the kubeconfig, tools and leftovers. Each problem comes with a fix. doctor changes
nothing.

With a file, a profile, a flavor or addons, doctor also lists what a cluster of these
would download: the images of the nodes, the charts and images of the addons, and the
tools of "lab tools". It does not use the network, so the sizes of most downloads are
unknown. Without --flavor, it is the flavor of your configuration, or the first. What the
tool of a flavor downloads for its own components is not listed.

The exit code is 1 if a problem prevents lab from creating clusters, and 5 if lab cannot
read its own records. Warnings and downloads do not change the exit code.`,
		Example: `  lab doctor
  lab doctor --profile web --flavor kind
  lab doctor -f lab.yaml --tools none -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(c, cmd, o) },
	}
	f := cmd.Flags()
	o.up.profileFlags(f)
	o.up.setting(f, "flavor", "flavor", "flavor of the cluster: "+strings.Join(c.Inventory.Set.Names(), ", "))
	o.up.setting(f, "addon", "addons", "addons, separated by commas (see lab addon list)")
	o.toolsFlag(f, "tools to list")
	return cmd
}

func runDoctor(c *command, cmd *cobra.Command, o *bundleOptions) error {
	needs, err := o.needs(c, cmd)
	if err != nil {
		return err
	}
	found, err := c.Doctor.Examine(cmd.Context())
	if err != nil {
		return err
	}
	d := Diagnosis{found, needs}
	if err := ui.Print(c.streams.Out, c.format, d, func() ui.View { return diagnosisView(d) }); err != nil {
		return err
	}
	return d.Healthy()
}

// needs returns what the lab that flags describe takes from networks, or nil if no flag describes one.
func (o *bundleOptions) needs(c *command, cmd *cobra.Command) (*bundles.Needs, error) {
	named := slices.ContainsFunc([]string{"file", "profile", "flavor", "addon", "tools"}, cmd.Flags().Changed)
	if !named {
		return nil, nil
	}
	_, request, err := upRequest(c, &o.up, nil)
	if err != nil {
		return nil, err
	}
	q := bundles.Request{Cluster: request}
	o.pick(&q)
	needs, err := c.Bundles.Needs(cmd.Context(), q)
	return &needs, err
}

// diagnosisView returns a table of all checks, then a section for each problem.
func diagnosisView(d Diagnosis) ui.View {
	v := &ui.Details{}
	all := ui.NewTable("check", "status", "found")
	for _, f := range d.Items {
		all.Row(f.Check, ui.State(f.Level), f.Found)
	}
	v.Section("This machine", all)
	for _, f := range d.Items {
		if f.Why == "" {
			continue
		}
		t := ui.NewTable()
		t.Row("found", f.Found)
		t.Row("why", f.Why)
		t.Row("fix", f.Mend)
		v.Section(f.Check, t)
	}
	if d.Downloads != nil {
		downloadsView(v, *d.Downloads)
	}
	return v
}

// downloadsView adds a table of what a cluster needs, and a sum.
func downloadsView(v *ui.Details, n bundles.Needs) {
	all := ui.NewTable("kind", "name", "version", "on this machine", "size")
	downloads := 0
	for _, item := range n.Items {
		size := "unknown"
		if item.Size != nil {
			size = event.Size(*item.Size)
		}
		if item.Download {
			downloads++
		}
		all.Row(string(item.Kind), item.Name, item.Version, placeOf(item), size)
	}
	v.Section("What a cluster of "+n.Flavor+" needs", all)
	sum := ui.NewTable()
	sum.Row("items", downloads)
	sum.Row("size", event.Size(n.Size)+unknownSizes(n.Unknown))
	for _, note := range n.Notes {
		sum.Row("note", note)
	}
	v.Section("To be downloaded", sum)
}

func unknownSizes(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d of unknown size", n)
}

// placeOf returns where a needed item is, in words.
func placeOf(n bundles.Need) string {
	switch n.Place {
	case bundles.InEngine:
		if n.Download {
			return "no: the engine has it, and nodes do not read that"
		}
		return "container engine"
	case bundles.InBundle:
		return "bundle"
	case bundles.InImageCache:
		return "image cache"
	case bundles.InChartCache:
		return "chart cache"
	case bundles.InToolsDir:
		return "tools directory"
	}
	return "no"
}
