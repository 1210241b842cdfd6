package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

const (
	verbVersion = "version"
	verbDoctor  = "doctor"
)

// able returns the error that keeps a command from running: lab has no directories, or the
// user's configuration is invalid. Commands that only describe lab run anyway. So does lab
// doctor with an invalid configuration, because it reports it.
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
	return c.Doctor.Misconfigured
}
