package cli

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func newTools(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "Install command-line tools: kubectl, helm, k9s, kubectx, kubens",
		Long: `Install command-line tools for working with clusters into a directory of lab. Each
tool has a fixed version and a fixed checksum.

lab needs none of them: "lab kubectl" can use the kubectl in lab-engine, "lab use" and
"lab ns" replace kubectx and kubens, and lab installs addons without helm.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newToolsList(c), newToolsInstall(c), newToolsUninstall(c))
	return cmd
}

func newToolsList(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List available and installed tools",
		Long: `List the tools and the versions that lab can install, and what is installed on this
machine: by lab, or else on PATH. list does not use the network.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.Tools.List(cmd.Context())
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			noteTools(c, progress, list)
			return printTools(c, list)
		},
	}
}

func printTools(c *command, list machine.ToolList) error {
	return ui.Print(c.streams.Out, c.format, list, func() ui.View { return toolsView(list) })
}

func toolsView(list machine.ToolList) ui.View {
	t := ui.NewTable("name", "version", "installed", "by lab", "path", "description")
	for _, tool := range list.Items {
		installed, byLab := tool.Installed, ""
		if tool.Path != "" {
			byLab = yesNo(tool.ByLab)
		}
		if tool.Path != "" && installed == "" {
			installed = "unknown"
		}
		t.Row(tool.Name, tool.Version, installed, byLab, tool.Path, tool.What)
	}
	return t
}

func newToolsInstall(c *command) *cobra.Command {
	var from, caFile string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "install [TOOL...]",
		Short: "Install tools",
		Long: `Install tools, or all tools if none is named. lab downloads a tool from its
publisher, verifies its checksum, and then installs it. A tool that is installed in the
same version is not downloaded again.

With --from, lab reads the releases from a directory and does not use the network. If a
file is missing there, the error names it and its URL.`,
		Example: `  lab tools install
  lab tools install kubectl k9s
  lab tools install --from /media/usb/tools`,
		ValidArgsFunction: c.completeTools,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			progress := c.progress("")
			defer progress.Close()
			ca, err := c.readCA(caFile)
			if err != nil {
				return err
			}
			if from != "" {
				if _, err := os.Stat(from); err != nil {
					return unreadable("the directory of --from", err)
				}
			}
			list, err := c.Tools.Install(ctx, args, from, ca, progress.Report)
			if err != nil {
				return err
			}
			progress.Close()
			noteTools(c, progress, list)
			return printTools(c, list)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "read releases from this `directory`, without network access")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "`file` with additional CA certificates (PEM) for the servers")
	cmd.Flags().DurationVar(&timeout, "timeout", 15*time.Minute, "give up after this time; run the command again to resume")
	return cmd
}

// noteTools prints warnings about tools, and how to add their directory to PATH.
func noteTools(c *command, progress *ui.Progress, list machine.ToolList) {
	byLab := false
	for _, tool := range list.Items {
		byLab = byLab || tool.ByLab
		for _, text := range tool.Notes {
			progress.Warn("%s: %s", tool.Name, text)
		}
	}
	if byLab && !list.OnPath {
		progress.Note("%s is not on PATH. Add it: %s", list.Directory, c.Tools.PathCommand())
	}
}

func newToolsUninstall(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall [TOOL...]",
		Short: "Remove tools that lab installed",
		Long: `Remove tools that lab installed, or all of them if none is named. Programs that lab
did not install, or that were changed since, are kept.`,
		Example:           `  lab tools uninstall k9s`,
		ValidArgsFunction: c.completeTools,
		RunE: func(_ *cobra.Command, args []string) error {
			removed, err := c.Tools.Remove(args)
			progress := c.progress("")
			defer progress.Close()
			switch {
			case len(removed) > 0:
				progress.Note("Removed: %s", strings.Join(removed, ", "))
			case err == nil:
				progress.Note("There are no tools to remove.")
			}
			return err
		},
	}
}

// completeTools completes the names of the catalog.
func (c *command) completeTools(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalog, _ := c.Tools.Installer.Catalog()
	var names []string
	for _, t := range catalog {
		names = append(names, t.Name+"\t"+t.What)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
