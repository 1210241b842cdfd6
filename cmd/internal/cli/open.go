package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
)

func newOpen(c *command) *cobra.Command {
	var name string
	var secrets, noBrowser bool
	cmd := &cobra.Command{
		Use:   "open ADDON",
		Short: "Open an addon in the browser",
		Long: `Open an addon in the browser. If none of its ports is published on this machine, lab
forwards a port until you press Ctrl-C. User names and passwords are printed only with
--show-password.`,
		Example:           `  lab open kube-prometheus-stack --show-password`,
		Args:              oneAddon,
		ValidArgsFunction: c.completeAddons,
		RunE: func(cmd *cobra.Command, args []string) error {
			access, err := c.Addons.Open(cmd.Context(), name, args[0], secrets)
			if err != nil {
				return err
			}
			return runOpen(c, cmd.Context(), access, args[0], noBrowser)
		},
	}
	clusterFlag(c, cmd, &name)
	cmd.Flags().BoolVar(&secrets, "show-password", false, "print the user name and the password")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "print the address without opening a browser")
	return cmd
}

func runOpen(c *command, ctx context.Context, access clusteraddons.Access, addon string, noBrowser bool) error {
	progress := c.progress("")
	defer progress.Close()
	switch {
	case access.Password != "":
		progress.Note("User: %s    Password: %s", access.User, access.Password)
	case access.HasCredentials:
		progress.Note("Show the password: lab open %s --show-password", addon)
	}
	show := func(url string) {
		_, _ = fmt.Fprintln(c.streams.Out, url)
		if !noBrowser {
			if err := browse(ctx, url); err != nil {
				progress.Warn("cannot open the browser: %v", err)
			}
		}
	}
	if access.URL != "" {
		show(access.URL)
		return nil
	}
	return access.Forward(ctx, func(address string) {
		progress.Note("Forwarding a port. Press Ctrl-C to stop.")
		show("http://" + address + access.Path)
	})
}
