package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

func (c *command) tools() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "Install what people use beside a cluster: kubectl, helm, k9s, kubectx, kubens",
		Long: `Install what people use beside a cluster, each in one version, and only with the
checksum that lab knows for it, into a directory of lab's own. None of it is needed:
lab kubectl has the kubectl inside lab-engine, lab use and lab ns do what kubectx and
kubens do all day, and addons are installed without helm.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.toolsList(), c.toolsInstall(), c.toolsUninstall())
	return cmd
}

func (c *command) toolsList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the tools that there are, and where they are",
		Long: `List the tools that lab installs, in which version, and what there is of them on this
machine: what lab installed, or else what is on PATH. Nothing is asked over the
network.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.Lab.Tools(cmd.Context())
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			c.noteTools(progress, list)
			return c.printTools(list)
		},
	}
}

func (c *command) printTools(list lab.ToolList) error {
	return ui.Print(c.streams.Out, c.format, list, func() ui.View { return toolsView(list) })
}

func toolsView(list lab.ToolList) ui.View {
	t := ui.NewTable("name", "version", "installed", "by lab", "where", "what")
	for _, tool := range list.Items {
		installed, byLab := tool.Installed, ""
		if tool.Path != "" {
			byLab = yesNo(tool.ByLab)
		}
		if tool.Path != "" && installed == "" {
			installed = "it does not say"
		}
		t.Row(tool.Name, tool.Version, installed, byLab, tool.Path, tool.What)
	}
	return t
}

func (c *command) toolsInstall() *cobra.Command {
	var from, caFile string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "install [TOOL...]",
		Short: "Install tools, checked by their checksums",
		Long: `Install tools, all that there are where none is named. What is there already, in the
same version, stays as it is, and costs no network. Each is downloaded from where its
makers publish it, and put in place whole, once its checksum has been found to be the
one that lab brings along.

With --from, a directory takes the place of the network. In it are the releases as
they are published; where one is missing, it is said by which name, and from where.`,
		Example: `  lab tools install
  lab tools install kubectl k9s
  lab tools install --from /media/usb/tools`,
		ValidArgsFunction: c.completeTools,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			progress := c.progress("")
			defer progress.Close()
			list, err := c.Lab.InstallTools(ctx, args, from, caFile, progress.Report)
			if err != nil {
				return err
			}
			progress.Close()
			c.noteTools(progress, list)
			return c.printTools(list)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "take the releases from this `directory`, and never touch the network")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "a `file` of certificates (PEM) by which to trust the servers, beside the system's")
	cmd.Flags().DurationVar(&timeout, "timeout", 15*time.Minute, "give up after this time; the command can be called again")
	return cmd
}

// noteTools says what the list itself does not.
func (c *command) noteTools(progress *ui.Progress, list lab.ToolList) {
	byLab := false
	for _, tool := range list.Items {
		byLab = byLab || tool.ByLab
		for _, text := range tool.Notes {
			progress.Warn("%s: %s", tool.Name, text)
		}
	}
	if byLab && !list.OnPath {
		progress.Note("Your shell does not look into %s yet: %s", list.Directory, c.Lab.PathCommand())
	}
}

func (c *command) toolsUninstall() *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall [TOOL...]",
		Short: "Remove tools that lab installed",
		Long: `Remove tools that lab installed, all of them where none is named. A program that lab
did not install, or that was changed since, stays.`,
		Example:           `  lab tools uninstall k9s`,
		ValidArgsFunction: c.completeTools,
		RunE: func(_ *cobra.Command, args []string) error {
			removed, err := c.Lab.RemoveTools(args)
			progress := c.progress("")
			defer progress.Close()
			switch {
			case len(removed) > 0:
				progress.Note("Removed: %s", strings.Join(removed, ", "))
			case err == nil:
				progress.Note("Lab has installed no tools.")
			}
			return err
		},
	}
}

// completeTools completes the names of the catalogue.
func (c *command) completeTools(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalog, _ := c.Lab.Installer.Catalog()
	var names []string
	for _, t := range catalog {
		names = append(names, t.Name+"\t"+t.What)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
