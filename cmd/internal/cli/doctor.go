package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func newDoctor(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   verbDoctor,
		Short: "Check this machine for problems",
		Long: `Check whether lab can create clusters on this machine, and report what may cause
problems: the container engine and its resources, disk, kernel, limits, ports, proxies,
the kubeconfig, tools and leftovers. Each problem comes with a fix. doctor changes
nothing.

The exit code is 1 if a problem prevents lab from creating clusters, and 5 if lab cannot
read its own records. Warnings do not change the exit code.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := c.Doctor.Examine(cmd.Context())
			if err != nil {
				return err
			}
			if err := ui.Print(c.streams.Out, c.format, d, func() ui.View { return diagnosisView(d) }); err != nil {
				return err
			}
			return d.Healthy()
		},
	}
}

// diagnosisView returns a table of all checks, then a section for each problem.
func diagnosisView(d machine.Diagnosis) ui.View {
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
	return v
}
