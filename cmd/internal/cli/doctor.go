package cli

import (
	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func (c *command) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   verbDoctor,
		Short: "Check this machine, and say what mends it",
		Long: `Check whether clusters can be made on this machine, and what will trouble them: the
container engine and what it was given, disk, kernel, limits, ports, proxies, the
kubeconfig, tools, and leftovers. It changes nothing. The exit code is 1 only where
something keeps lab from making clusters; a warning does not.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := c.Lab.Doctor(cmd.Context())
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

// diagnosisView is a table of all that was looked at, then a block for each thing that is
// to be mended.
func diagnosisView(d lab.Diagnosis) ui.View {
	v := &ui.Details{}
	all := ui.NewTable("check", "is", "found")
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
		t.Row("mend", f.Mend)
		v.Section(f.Check, t)
	}
	return v
}
