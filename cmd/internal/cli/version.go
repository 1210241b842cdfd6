package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// Version is the result of `lab version`.
type Version struct {
	output.Meta
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildVersion returns the version that Go recorded in this program.
func buildVersion() Version {
	v := Version{
		Meta:    output.Meta{APIVersion: output.APIVersion, Kind: "Version"},
		Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}

// BuildVersion returns the version of this program.
func BuildVersion() string { return buildVersion().Version }

func newVersion(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   verbVersion,
		Short: "Print the version of lab",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			return ui.Print(c.streams.Out, c.format, v, func() ui.View {
				d := &ui.Details{}
				d.Add("lab", v.Version)
				d.Add("commit", v.Commit)
				d.Add("go", v.Go)
				d.Add("platform", v.Platform)
				return d
			})
		},
	}
}
