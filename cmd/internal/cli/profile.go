package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newProfile(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Show and validate profiles",
		Args:  onlyVerbs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProfileList(c), newProfileShow(c), newProfileValidate(c), newProfileSchema(c))
	return cmd
}

// ProfileList is the result of `lab profile list`.
type ProfileList struct {
	output.Meta
	Items []ProfileItem `json:"items"`
}

// ProfileItem is a builtin profile in a list.
type ProfileItem struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary"`
	Addons  []string `json:"addons"`
}

func newProfileList(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the builtin profiles",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			list := ProfileList{Meta: output.Meta{APIVersion: output.APIVersion, Kind: "ProfileList"}}
			for _, name := range profiles.Names() {
				p, err := profiles.Load(name)
				if err != nil {
					return err
				}
				item := ProfileItem{Name: name, Summary: p.Summary, Addons: []string{}}
				for _, a := range p.Addons {
					item.Addons = append(item.Addons, string(a.Name))
				}
				list.Items = append(list.Items, item)
			}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View {
				t := ui.NewTable("name", "description")
				for _, item := range list.Items {
					t.Row(item.Name, item.Summary)
				}
				return t
			})
		},
	}
}

func newProfileShow(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "show PROFILE|FILE",
		Short: "Show a profile and everything that it extends",
		Long: `Show a profile, merged with everything that it extends, as one file with a name and a
flavor. Use it as a template for your own. - reads a file from standard input.

With -o json or -o yaml, print an object that also has the source of each value.`,
		Example: `  lab profile show web > lab.yaml`,
		Args:    oneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			file, profile := "", args[0]
			if profile == standardInput {
				file, profile = profile, ""
			}
			p, err := c.written(file, profile)
			if err != nil {
				return err
			}
			if c.format != ui.FormatTable {
				shown := ProfileShown{output.Meta{APIVersion: output.APIVersion, Kind: "Profile"}, p.Profile, p.Settings()}
				return ui.Print(c.streams.Out, c.format, shown, nil)
			}
			p.Extends = "" // everything is merged
			p.Name, p.Flavor = cmp.Or(p.Name, inventory.DefaultName), cmp.Or(p.Flavor, clusters.FlavorAuto)
			text, err := p.File()
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.streams.Out, fault.Redact(string(text)))
			return err
		},
	}
}

// ProfileShown is the result of `lab profile show`.
type ProfileShown struct {
	output.Meta
	Profile  profiles.Profile   `json:"profile"`
	Settings []profiles.Setting `json:"settings"`
}

// ProfileReport is the result of `lab profile validate`.
type ProfileReport struct {
	output.Meta
	Valid    bool               `json:"valid"`
	Problems []profiles.Problem `json:"problems"`
}

func newProfileValidate(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE...",
		Short: "Validate files and report every problem",
		Long: `Validate files and everything that they extend, and report every problem with its
line and column. - reads standard input. Addons must be known, the files and charts that
a file names must exist and be valid, and the flavor must support the settings. validate
uses neither the network nor a tool. With -o json or -o yaml, the problems are the
result.`,
		Example: `  lab profile validate lab.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return oneProfile(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return validate(c, cmd.Context(), args) },
	}
}

// validateFile returns the errors of a file and of the request that it describes.
func validateFile(c *command, ctx context.Context, file string) error {
	written, err := c.written(file, "")
	if err != nil {
		return err
	}
	o := &upOptions{}
	all := o.merged(written, nil)
	request, err := requestOf(c, o, all)
	if err == nil {
		err = c.Clusters.Validate(ctx, request)
	}
	if err != nil {
		return fault.WithHint(fmt.Errorf("%s: %w", fileName(file), err), "%s", fault.HintOf(err))
	}
	return nil
}

// fileName returns the name of a file for messages.
func fileName(file string) string {
	if file == standardInput {
		return "standard input"
	}
	return file
}

func validate(c *command, ctx context.Context, files []string) error {
	report := ProfileReport{Meta: output.Meta{APIVersion: output.APIVersion, Kind: "ProfileReport"}, Valid: true, Problems: []profiles.Problem{}}
	var errs []error
	for _, file := range files {
		err := validateFile(c, ctx, file)
		errs = append(errs, err)
		if problems, ok := errors.AsType[profiles.Problems](err); ok {
			report.Problems = append(report.Problems, problems...)
		} else if err != nil {
			report.Problems = append(report.Problems, profiles.Problem{File: fileName(file), Message: err.Error()})
		}
		report.Valid = report.Valid && err == nil
	}
	if c.format != ui.FormatTable {
		if err := ui.Print(c.streams.Out, c.format, report, nil); err != nil {
			return err
		}
	}
	if err := errors.Join(errs...); err != nil || c.format != ui.FormatTable {
		return err
	}
	for _, file := range files {
		if _, err := fmt.Fprintf(c.streams.Out, "%s is valid\n", fileName(file)); err != nil {
			return err
		}
	}
	return nil
}

func newProfileSchema(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of lab.yaml",
		Long: `Print the JSON schema of lab.yaml. Editors with the YAML language server use it to
complete keys and to mark errors, if the file starts with this line:

  # yaml-language-server: $schema=lab.schema.json`,
		Example: `  lab profile schema > lab.schema.json`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := profiles.Schema()
			if err != nil {
				return err
			}
			_, err = c.streams.Out.Write(text)
			return err
		},
	}
}

func oneProfile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fault.WithHint(usage("%s requires a profile or a file", cmd.CommandPath()), "list the builtin profiles: lab profile list")
}
