package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

const (
	verbVersion = "version"
	verbDoctor  = "doctor"
)

// able returns why a command cannot work: that lab has no place to keep things in, or
// that the user's configuration cannot be understood. What tells of lab itself works all
// the same, and a broken configuration is for lab doctor to find.
func (c *command) able(cmd *cobra.Command) error {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	verb, _, _ := strings.Cut(path, " ")
	switch verb {
	case "", verbVersion, "help", "completion":
		return nil
	}
	if c.unbuilt != nil || verb == verbDoctor || strings.HasPrefix(verb, cobra.ShellCompRequestCmd) {
		return c.unbuilt
	}
	return c.Lab.Misconfigured
}
