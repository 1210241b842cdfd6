package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestFlagsAreConsistent checks that in all commands a letter stands for the same flag, and a
// flag has the same type.
func TestFlagsAreConsistent(t *testing.T) {
	t.Parallel()
	letters, types := map[string]string{}, map[string]string{}
	same := func(cmd *cobra.Command, seen map[string]string, key, value string) {
		if was, ok := seen[key]; ok && was != value {
			t.Errorf("%s: %s is %s, and %s elsewhere", cmd.CommandPath(), key, value, was)
		}
		seen[key] = value
	}
	walk(testRoot(t), func(cmd *cobra.Command) {
		cmd.InheritedFlags() // merges the flags of parent commands into Flags
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand != "" {
				same(cmd, letters, "-"+f.Shorthand, "--"+f.Name)
			}
			same(cmd, types, "--"+f.Name, f.Value.Type())
		})
	})
	if letters["-o"] != "--output" || types["--timeout"] != "duration" {
		t.Errorf("flags were not checked: %v, %v", letters, types)
	}
}

// TestExamples checks that each command with arguments other than names of clusters has an
// example, and that the example uses the command.
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
			t.Errorf("%s: the example does not use the command:\n%s", cmd.CommandPath(), cmd.Example)
		}
	})
}

// TestHelpFits checks that the help text fits into a terminal: lines of at most 92 columns, and descriptions of flags
// below 80.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	lines := 0
	walk(testRoot(t), func(cmd *cobra.Command) {
		for line := range strings.SplitSeq(cmd.Long+"\n"+cmd.Example, "\n") {
			lines++
			if n := utf8.RuneCountInString(line); n > 92 {
				t.Errorf("%s: a line of the help text has %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if _, usage := pflag.UnquoteUsage(f); utf8.RuneCountInString(usage) >= 80 {
				t.Errorf("%s --%s: the description is too long: %s", cmd.CommandPath(), f.Name, usage)
			}
		})
	})
	if lines < 300 {
		t.Errorf("found only %d lines", lines)
	}
}
