package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// codeDiffers is the exit code of `lab diff` if there is a difference.
const codeDiffers = 8

func newDiff(c *command) *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "diff [NAME]",
		Short: "Show how a cluster differs from what was requested",
		Long: `Show how a cluster differs from what a file, a profile or flags request. diff changes
nothing. For each difference it prints the command that removes it: "lab up", or
"lab up --recreate" for settings that cannot be changed, with the flags of diff.

"lab up" restarts the time to live each time it runs; that is not a difference. Addons
that are not requested are a difference only with --prune.

The exit code is 0 if "lab up" with the same flags would change nothing and everything
is ready, and 8 otherwise.`,
		Example:           `  lab diff -f lab.yaml`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE:              func(cmd *cobra.Command, args []string) error { return runDiff(c, cmd, o, args) },
	}
	o.flags(cmd.Flags(), c.Inventory.Set.Names())
	o.setting(cmd.Flags(), "ttl", "ttl", "time to live, such as 2h")
	cmd.Flags().BoolVar(&o.prune, "prune", false, "report addons that are not requested as differences, too")
	return cmd
}

func runDiff(c *command, cmd *cobra.Command, o *upOptions, args []string) error {
	_, request, err := upRequest(c, o, args)
	if err != nil {
		return err
	}
	diff, err := c.Clusters.Diff(cmd.Context(), request)
	if err != nil {
		return err
	}
	for i, item := range diff.Items {
		diff.Items[i].By = repeat(item.By, cmd)
	}
	if c.format == ui.FormatTable {
		progress := c.progress("")
		defer progress.Close()
		if len(diff.Surplus) > 0 && !o.prune && o.requestsAddons() {
			progress.Note("Installed, but not in this request: %s. To remove: %s",
				strings.Join(diff.Surplus, ", "), repeat("lab up "+diff.Name+" --prune", cmd))
		}
		if len(diff.Items) == 0 {
			progress.Note("Cluster %s is up to date and ready.", diff.Name)
			return nil
		}
	}
	if err := ui.Print(c.streams.Out, c.format, diff, func() ui.View { return diffView(diff) }); err != nil {
		return err
	}
	if len(diff.Items) > 0 {
		return exited(codeDiffers)
	}
	return nil
}

// repeat adds the flags of cmd to a "lab up" command, which would otherwise request something else. It omits values of
// addons, which may be passwords.
func repeat(command string, cmd *cobra.Command) string {
	if !strings.HasPrefix(command, output.ByUp) {
		return command
	}
	words := []string{command}
	local := cmd.LocalFlags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case local.Lookup(f.Name) == nil, f.Name == "prune" && strings.Contains(command, "--prune"):
		case f.Value.Type() == "bool":
			words = append(words, "--"+f.Name+"="+f.Value.String())
		default:
			for _, text := range texts(f) {
				words = append(words, "--"+f.Name, fault.ShellWord(text))
			}
		}
	})
	return strings.Join(words, " ")
}

// texts returns the values of a flag, without those of --set and its relatives.
func texts(f *pflag.Flag) []string {
	switch v := f.Value.(type) {
	case *profiles.Flag:
		return v.Texts()
	case pflag.SliceValue:
		all := v.GetSlice()
		for i := range all {
			if path, _, ok := strings.Cut(all[i], "="); ok && strings.HasPrefix(f.Name, "set") {
				all[i] = path + "=..."
			}
		}
		return all
	}
	return []string{f.Value.String()}
}

func diffView(d output.Diff) ui.View {
	t := ui.NewTable("setting", "current", "requested", "command")
	for _, item := range d.Items {
		t.Row(item.Path, item.Has, item.Asked, item.By)
	}
	return t
}
