package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func newLogs(c *command) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "logs [NAME]",
		Short: "Export the logs of a cluster",
		Long: `Export the logs of all parts of a cluster into a directory, and print its path. This
works on stopped and broken clusters, too. NAME defaults to "lab".

To print the logs of a pod, use "lab kubectl -- logs POD".`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := nameOf(args)
			if dir == "" {
				dir = name + "-logs"
			}
			made, err := emptyDir(dir)
			if err != nil {
				return err
			}
			if err := c.Clusters.ExportLogs(cmd.Context(), name, dir); err != nil {
				if made {
					_ = os.Remove(dir) // only if it is still empty
				}
				return err
			}
			_, err = fmt.Fprintln(c.streams.Out, dir)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "`directory` to write into, empty or new (default: NAME-logs)")
	return cmd
}

// emptyDir creates dir if it does not exist, and returns an error if it is not empty. made
// reports whether it created dir.
func emptyDir(dir string) (made bool, err error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return false, fmt.Errorf("cannot create the directory for the logs: %w", err)
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot read the directory for the logs: %w", err)
	}
	if len(entries) > 0 {
		return false, fault.WithHint(usage("the directory %s is not empty", dir), "choose another one: lab logs --dir DIR")
	}
	return false, nil
}
