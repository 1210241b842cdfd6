package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The groups of the help text, in order.
const (
	groupLife   = "life"
	groupAccess = "access"
	groupLearn  = "learn"
)

// newRoot returns the root command with all subcommands.
func newRoot(c *command) *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "Create local Kubernetes clusters with the tool of your choice",
		Long: `lab creates local Kubernetes clusters with the tool of your choice (the flavor),
waits until they work, and deletes them without leftovers.`,
		Example: `  lab up --flavor kwok          create a cluster named "lab"
  lab kubectl -- get nodes      list its nodes
  lab down                      delete it`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              onlyVerbs,
		PersistentPreRunE: c.prepare,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(c.streams.In)
	root.SetOut(c.streams.Out)
	root.SetErr(c.streams.Err)
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(
		&cobra.Group{ID: groupLife, Title: "Cluster commands:"},
		&cobra.Group{ID: groupAccess, Title: "Commands for working with a cluster:"},
		&cobra.Group{ID: groupLearn, Title: "Other commands:"},
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
	add(groupLife, newUp(c), newRun(c), newDown(c), newList(c), newStatus(c), newStart(c), newStop(c), newExtend(c), newDiff(c), newSnapshot(c), newGC(c))
	add(groupAccess, newKubectl(c), newHelm(c), newKubeconfig(c), newUse(c), newNS(c), newImage(c), newLogs(c), newAddon(c), newOpen(c), newTools(c), newBundle(c))
	add(groupLearn, newExercise(c), newPack(c), newTraffic(c), newDoctor(c), newProfile(c), newFlavors(c), newBench(c), newCache(c), newVersion(c))
	root.AddCommand(newReap(c))
	for _, cmd := range root.Commands() {
		if strings.Contains(cmd.Use, "[NAME]") || strings.Contains(cmd.Use, "[NAME...]") {
			acceptName(cmd)
		}
	}
	return root
}

const flagName = "name"

// acceptName lets a command whose argument is the name of a cluster accept --name as well, as commands on
// addons do.
func acceptName(cmd *cobra.Command) {
	var name string
	cmd.Flags().StringVar(&name, flagName, "", "name of the cluster")
	cmd.Flags().Lookup(flagName).Hidden = true
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		before := len(args)
		if dash := cmd.ArgsLenAtDash(); dash >= 0 {
			before = dash
		}
		switch {
		case !cmd.Flags().Changed(flagName):
			return run(cmd, args)
		case before > 0:
			return fault.WithHint(usage("both %q and --name %s name the cluster", args[0], name), "remove one of them")
		}
		return run(cmd, append([]string{name}, args...))
	}
}

func (c *command) globalFlags(f *pflag.FlagSet) {
	f.VarP(&c.format, "output", "o", "output format of the result")
	f.Var(&c.mode, "progress", "output format of progress")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "print the full output of tools if a command fails")
	f.BoolVar(&c.noColor, "no-color", false, "disable colors, as does NO_COLOR=1")
}

// prepare runs before every command.
func (c *command) prepare(cmd *cobra.Command, _ []string) error {
	if c.noColor {
		c.streams.NoColor()
	}
	if err := checkDurations(cmd.Flags()); err != nil {
		return err
	}
	return c.able(cmd)
}

// checkDurations returns ErrInvalid if a flag has a negative duration. No flag of lab can mean one.
func checkDurations(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "duration" && strings.HasPrefix(f.Value.String(), "-") {
			err = fault.WithHint(usage("--%s must not be negative", f.Name), "use a duration such as --%s 2h", f.Name)
		}
	})
	return err
}

// onlyVerbs rejects arguments of commands that only have subcommands: an argument is an
// unknown subcommand.
func onlyVerbs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := usage("unknown command %q for %q", args[0], cmd.CommandPath())
	if meant := otherWords(args); meant != "" && !cmd.HasParent() {
		return fault.WithHint(err, "did you mean %s?", meant)
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fault.WithHint(err, "did you mean %s %s?", cmd.CommandPath(), near[0])
	}
	return fault.WithHint(err, "list the commands: %s --help", cmd.CommandPath())
}

// noArgs rejects arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.WithHint(usage("%s accepts no arguments, received %q", cmd.CommandPath(), args), "show the usage: %s --help", cmd.CommandPath())
}

// oneName accepts at most one argument.
func oneName(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fault.WithHint(usage("%s accepts one name, received %d: %q", cmd.CommandPath(), len(args), args), "run the command once for each name")
	}
	return nil
}

// nameOf returns the name of the cluster in args, or the default name.
func nameOf(args []string) string {
	if len(args) == 0 {
		return inventory.DefaultName
	}
	return args[0]
}

// completeNames completes the names of clusters.
func (c *command) completeNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := c.Inventory.Names("")
	return names, cobra.ShellCompDirectiveNoFileComp
}
