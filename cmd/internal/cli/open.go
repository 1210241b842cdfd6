package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
)

func (c *command) open() *cobra.Command {
	var name string
	var secrets, noBrowser bool
	cmd := &cobra.Command{
		Use:   "open ADDON",
		Short: "Open an addon in the browser",
		Long: `Open an addon in the browser. Where none of its ports is published on this machine,
one is forwarded until you interrupt lab. Names and passwords are shown only when
you ask for them: --show-password.`,
		Example:           `  lab open kube-prometheus-stack --show-password`,
		Args:              oneAddon,
		ValidArgsFunction: c.completeAddons,
		RunE: func(cmd *cobra.Command, args []string) error {
			access, err := c.Lab.OpenAddon(cmd.Context(), name, args[0], secrets)
			if err != nil {
				return err
			}
			return c.runOpen(cmd.Context(), access, args[0], noBrowser)
		},
	}
	c.clusterFlag(cmd, &name)
	cmd.Flags().BoolVar(&secrets, "show-password", false, "print the name and the password to log in with")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "print the address, and open nothing")
	return cmd
}

func (c *command) runOpen(ctx context.Context, access lab.Access, addon string, noBrowser bool) error {
	progress := c.progress("")
	defer progress.Close()
	switch {
	case access.Password != "":
		progress.Note("Name: %s    Password: %s", access.User, access.Password)
	case access.HasCredentials:
		progress.Note("For the password: lab open %s --show-password", addon)
	}
	show := func(url string) {
		_, _ = fmt.Fprintln(c.streams.Out, url)
		if !noBrowser {
			if err := browse(ctx, url); err != nil {
				progress.Warn("the browser cannot be opened: %v", err)
			}
		}
	}
	if access.URL != "" {
		show(access.URL)
		return nil
	}
	return access.Forward(ctx, func(address string) {
		progress.Note("Forwarding until you interrupt it.")
		show("http://" + address + access.Path)
	})
}
