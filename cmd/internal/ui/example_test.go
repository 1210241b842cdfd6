package ui_test

import (
	"fmt"
	"os"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func ExamplePrint() {
	type cluster struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		State      string `json:"state"`
	}
	lab := cluster{"lab/v1alpha1", "Cluster", "lab", "running"}
	streams := ui.System()
	for _, format := range []ui.Format{ui.FormatTable, ui.FormatYAML} {
		err := ui.Print(streams.Out, format, lab, func() ui.View {
			table := ui.NewTable("name", "state")
			table.Row(lab.Name, ui.State(lab.State))
			return table
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	// Output:
	// NAME  STATE
	// lab   running
	// apiVersion: lab/v1alpha1
	// kind: Cluster
	// name: lab
	// state: running
}
