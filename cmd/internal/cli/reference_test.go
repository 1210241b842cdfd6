package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

var update = flag.Bool("update", false, "write docs/reference")

// TestReference checks that docs/reference matches the commands.
func TestReference(t *testing.T) {
	want := reference(t)
	dir := filepath.Join("..", "..", "..", "docs", "reference")
	if *update {
		write(t, dir, want)
	}
	got := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(text)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("docs/reference is out of date; to update it: make docs (-got +want):\n%s", diff)
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// reference returns a page for each command, and an index.
func reference(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	var index bytes.Buffer
	index.WriteString("# Commands\n\nGenerated from the commands by `make docs`.\n\n")
	root := testRoot(t)
	walk(root, func(cmd *cobra.Command) {
		file := strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"
		files[file] = page(cmd)
		fmt.Fprintf(&index, "- [`%s`](%s): %s\n", cmd.CommandPath(), file, cmd.Short)
	})
	files["README.md"] = index.String()
	return files
}

// testRoot returns the root command with one fake flavor. Its name stands for those of all flavors,
// so that docs/reference does not depend on which there are.
func testRoot(t *testing.T) *cobra.Command {
	t.Helper()
	set, err := providers.NewSet(providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: "FLAVOR"}))
	if err != nil {
		t.Fatal(err)
	}
	streams, _, _ := ui.Test(0, nil)
	i := &inventory.Inventory{Set: set, State: state.Open(t.TempDir())}
	a := &clusteraddons.Addons{Inventory: i}
	env := Env{Inventory: i, Addons: a, Clusters: &clusters.Clusters{Inventory: i, Addons: a}, Tools: &machine.Tools{Installer: tools.Installer{Catalog: tools.Builtin}}}
	c := &command{Env: env, streams: streams, format: ui.FormatTable, mode: ui.ModeAuto}
	return newRoot(c)
}

func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			walk(sub, visit)
		}
	}
}

func page(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n```\n%s\n```\n", cmd.CommandPath(), longOf(cmd), cmd.UseLine())
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(&b, "\nAlso: `%s`.\n", strings.Join(cmd.Aliases, "`, `"))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\n## Examples\n\n```\n%s\n```\n", cmd.Example)
	}
	flags(&b, "Flags", cmd.NonInheritedFlags())
	flags(&b, "Flags of every command", cmd.InheritedFlags())
	return b.String()
}

func longOf(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func flags(b *strings.Builder, title string, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n```\n%s```\n", title, set.FlagUsages())
}

// TestHelpIsComplete checks that each command and flag has a description.
func TestHelpIsComplete(t *testing.T) {
	walk(testRoot(t), func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the summary %q must be a phrase without a full stop", cmd.CommandPath(), cmd.Short)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s: no description", cmd.CommandPath(), f.Name)
			}
		})
	})
}
