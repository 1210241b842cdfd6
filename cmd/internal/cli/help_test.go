package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestFlagsMeanOneThing: a letter stands for one flag, and a flag of one name takes one
// type of value, whatever the command.
func TestFlagsMeanOneThing(t *testing.T) {
	t.Parallel()
	letters, types := map[string]string{}, map[string]string{}
	same := func(cmd *cobra.Command, seen map[string]string, key, value string) {
		if was, ok := seen[key]; ok && was != value {
			t.Errorf("%s: %s is %s, and %s elsewhere", cmd.CommandPath(), key, value, was)
		}
		seen[key] = value
	}
	walk(testRoot(t), func(cmd *cobra.Command) {
		cmd.InheritedFlags() // which merges those of the commands above into Flags
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand != "" {
				same(cmd, letters, "-"+f.Shorthand, "--"+f.Name)
			}
			same(cmd, types, "--"+f.Name, f.Value.Type())
		})
	})
	if letters["-o"] != "--output" || types["--timeout"] != "duration" {
		t.Errorf("flags were not looked at: %v, %v", letters, types)
	}
}

// TestExamples: what takes more than a name has an example, and examples are of the
// command that they stand under.
func TestExamples(t *testing.T) {
	t.Parallel()
	walk(testRoot(t), func(cmd *cobra.Command) {
		_, args, _ := strings.Cut(cmd.Use, " ")
		needed := args != "" && args != "[NAME]" && args != "[NAME...]"
		if needed && cmd.Example == "" {
			t.Errorf("%s: no example", cmd.CommandPath())
		}
		if cmd.Example == "" || !cmd.HasParent() {
			return
		}
		if !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s: its example is of something else:\n%s", cmd.CommandPath(), cmd.Example)
		}
	})
}
