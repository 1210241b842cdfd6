package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func (c *command) logs() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "logs [NAME]",
		Short: "Export the cluster's logs into a directory",
		Long: `Export all logs of the cluster's parts into a directory, and print its path. It
works on stopped and on broken clusters too. NAME defaults to "lab". The logs of a
pod: lab kubectl -- logs POD.`,
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
			if err := c.Lab.ExportLogs(cmd.Context(), name, dir); err != nil {
				if made {
					_ = os.Remove(dir) // only if it is still empty
				}
				return err
			}
			_, err = fmt.Fprintln(c.streams.Out, dir)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the directory; it must not exist, or be empty (default: NAME-logs)")
	return cmd
}

// emptyDir makes sure that dir is there and has nothing in it that logs would mix
// with. made tells whether it was not there before.
func emptyDir(dir string) (made bool, err error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return false, fmt.Errorf("make the directory for the logs: %w", err)
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("the directory for the logs: %w", err)
	}
	if len(entries) > 0 {
		return false, fault.WithHint(usage("the directory %s is not empty", dir), "name another: lab logs --dir DIR")
	}
	return false, nil
}
