package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

type downOptions struct {
	all     bool
	forget  bool
	flavor  string
	timeout time.Duration
}

func newDown(c *command) *cobra.Command {
	o := &downOptions{}
	cmd := &cobra.Command{
		Use:     "down [NAME...]",
		Aliases: []string{"delete", "rm"},
		Short:   "Delete clusters and everything that belongs to them",
		Long: `Delete clusters that lab created, with their nodes, processes, files and kubeconfig
entries. NAME defaults to "lab". The context that was current before the cluster was
created becomes current again. Clusters that are not managed by lab are never deleted.

lab deletes a cluster on the container engine on which it was created, even if docker
uses another engine now. If that engine does not answer, lab keeps the cluster and its
record. --forget removes the record of a cluster whose engine no longer exists.

The exit code is 3 if there is no cluster of a name, 4 if it is not managed by lab, and 5
if lab cannot reach its container engine. The other clusters are still deleted.`,
		Example: `  lab down                    delete the cluster "lab"
  lab down demo shop          delete two clusters
  lab down --all`,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			names, _ := c.Inventory.Names("")
			if len(args) > 0 && args[0] == "cluster" && !slices.Contains(names, args[0]) { // as in: kind delete cluster
				return fault.WithHint(fault.Errorf(fault.ErrNotFound, "there is no cluster %q", args[0]), "name only clusters: %s", strings.Join(append([]string{"lab down"}, args[1:]...), " "))
			}
			return runDown(c, cmd, o, args)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "delete all clusters that lab created")
	cmd.Flags().BoolVar(&o.forget, "forget", false, "remove only the record and the kubeconfig entries of an unreachable cluster")
	cmd.Flags().StringVar(&o.flavor, "flavor", "", "with --all, delete only clusters of this flavor")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "give up after this time; run the command again to resume")
	return cmd
}

func runDown(c *command, cmd *cobra.Command, o *downOptions, names []string) error {
	progress := c.progress("")
	defer progress.Close()
	names, problems, err := downNames(c, o, names)
	if err != nil {
		return err
	}
	if len(names) == 0 && problems == nil {
		progress.Note("There is nothing to delete.")
		return nil
	}
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	// A failure does not stop the deletion of the other clusters.
	errs := []error{problems}
	remove := c.Clusters.Down
	if o.forget {
		remove = c.Clusters.Forget
	}
	for _, name := range names {
		errs = append(errs, remove(ctx, name, progress.Report))
	}
	return errors.Join(errs...)
}

func downNames(c *command, o *downOptions, names []string) (all []string, problems, err error) {
	if o.flavor != "" {
		if _, err := c.Inventory.Set.Get(o.flavor); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case o.forget && (o.all || len(names) == 0):
		return nil, nil, fault.WithHint(usage("--forget requires the names of clusters"), "name them: lab down NAME --forget")
	case o.all && len(names) > 0:
		return nil, nil, fault.WithHint(usage("cannot use --all together with names of clusters"), "omit the names or --all")
	case o.flavor != "" && !o.all:
		return nil, nil, fault.WithHint(usage("--flavor requires --all"), "delete all clusters of the flavor: lab down --all --flavor %s", o.flavor)
	case o.all:
		all, problems = c.Inventory.Names(o.flavor)
		return all, problems, nil
	case len(names) == 0:
		return []string{nameOf(nil)}, nil, nil
	}
	return names, nil, nil
}

// warn prints problems that do not make a command fail.
func (c *command) warn(progress *ui.Progress, problems error) {
	if problems == nil {
		return
	}
	list := []error{problems}
	if joined, ok := problems.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, p := range list {
		if hint := fault.HintOf(p); hint != "" {
			progress.Warn("%v (%s)", p, hint)
			continue
		}
		progress.Warn("%v", p)
	}
}
