package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The groups of the help text, in order.
const (
	groupLife   = "life"
	groupAccess = "access"
	groupLearn  = "learn"
)

// root builds the whole tree of commands.
func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "Local Kubernetes labs, with whichever tool you like",
		Long: `lab makes a local Kubernetes cluster with the tool of your choice (the flavor),
waits until it really works, and takes it away again without a trace.`,
		Example: `  lab up --flavor kwok          make a cluster called "lab"
  lab kubectl -- get nodes      look at it
  lab down                      remove it`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              onlyVerbs,
		PersistentPreRunE: c.prepare,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(c.streams.In)
	root.SetOut(c.streams.Out)
	root.SetErr(c.streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.WithHint(usage("%w", err), "%s --help shows the flags", cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: groupLife, Title: "Clusters:"},
		&cobra.Group{ID: groupAccess, Title: "Work with a cluster:"},
		&cobra.Group{ID: groupLearn, Title: "Learn more:"},
	)
	root.SetHelpCommandGroupID(groupLearn)
	root.SetCompletionCommandGroupID(groupLearn)
	c.globalFlags(root.PersistentFlags())
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(groupLife, c.up(), c.run(), c.down(), c.list(), c.status(), c.start(), c.stop(), c.extend(), c.diff(), c.gc())
	add(groupAccess, c.kubectl(), c.kubeconfig(), c.use(), c.ns(), c.image(), c.logs(), c.addon(), c.open(), c.tools())
	add(groupLearn, c.doctor(), c.profile(), c.flavors(), c.version())
	root.AddCommand(c.reap())
	return root
}

func (c *command) globalFlags(f *pflag.FlagSet) {
	f.VarP(&c.format, "output", "o", "how to print the result")
	f.Var(&c.mode, "progress", "how to show progress")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "show all that the tools said when something fails")
	f.BoolVar(&c.noColor, "no-color", false, "print without colours (so does NO_COLOR=1)")
}

// prepare runs before every command.
func (c *command) prepare(cmd *cobra.Command, _ []string) error {
	if c.noColor {
		c.streams.NoColor()
	}
	return c.able(cmd)
}

// onlyVerbs is for commands that only have others below them: an argument is a verb
// that they do not know.
func onlyVerbs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := usage("%s has no command %q", cmd.CommandPath(), args[0])
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fault.WithHint(err, "did you mean %s %s?", cmd.CommandPath(), near[0])
	}
	return fault.WithHint(err, "%s --help lists them", cmd.CommandPath())
}

// noArgs accepts flags alone.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.WithHint(usage("%s takes no arguments, not %q", cmd.CommandPath(), args), "%s --help shows what it takes", cmd.CommandPath())
}

// oneName accepts at most one argument, the name of a cluster.
func oneName(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fault.WithHint(usage("one cluster at a time, not %d: %q", len(args), args), "use the command once for each")
	}
	return nil
}

// nameOf returns the cluster that args name, or the default one.
func nameOf(args []string) string {
	if len(args) == 0 {
		return lab.DefaultName
	}
	return args[0]
}

// completeNames completes the names of the clusters that lab made.
func (c *command) completeNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := c.Lab.Made("")
	return names, cobra.ShellCompDirectiveNoFileComp
}
