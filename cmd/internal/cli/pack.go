package cli

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/packs"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// PackList is the result of `lab pack list`.
type PackList struct {
	output.Meta
	Items []Pack `json:"items"`
}

// Pack is a pack of exercises, the result of `lab pack add`.
type Pack struct {
	output.Meta
	Name      string     `json:"name"`
	Builtin   bool       `json:"builtin"`
	Exercises []string   `json:"exercises"`
	Languages []string   `json:"languages"`
	Source    string     `json:"source"`   // "" for the builtin one
	Revision  string     `json:"revision"` // the commit, or the digest of the archive or artifact
	Digest    string     `json:"digest"`   // of its files
	AddedAt   *time.Time `json:"addedAt"`
}

func newPack(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pack",
		Short: "Manage packs of exercises",
		Long: `Manage packs of exercises. "lab exercise --pack NAME" uses a pack that you added.

docs/exercises.md describes how to write a pack.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPackList(c), newPackAdd(c), newPackRemove(c), newPackNew(c))
	return cmd
}

func newPackList(c *command) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List packs and where they came from",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			builtin, err := exercises.Builtin()
			if err != nil {
				return err
			}
			list := PackList{output.NewMeta("PackList"), []Pack{packOf(packs.Installed{Pack: builtin})}}
			installed, problems := c.Packs.List()
			for _, p := range installed {
				list.Items = append(list.Items, packOf(p))
			}
			progress := c.progress("")
			defer progress.Close()
			c.warn(progress, problems)
			return ui.Print(c.streams.Out, c.format, list, func() ui.View {
				t := ui.NewTable("name", "exercises", "languages", "source")
				for _, p := range list.Items {
					t.Row(p.Name, len(p.Exercises), strings.Join(p.Languages, ", "), p.shownSource())
				}
				return t
			})
		},
	}
}

func newPackAdd(c *command) *cobra.Command {
	var src packs.Source
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "add SOURCE",
		Short: "Add a pack",
		Long: `Copy a pack into lab's state directory and check it. SOURCE is one of:

  DIR                        a directory
  FILE.tar.gz                an archive
  https://HOST/PATH.git      a git repository; git+URL if the URL does not end with .git.
                             --revision selects a commit, branch or tag
  oci://HOST/PATH:TAG        an OCI artifact; to push one: oras push HOST/PATH:TAG DIR

lab runs nothing of a pack, and reads no file outside it. lab records the commit or the
digest, and uses the pack only as long as its files are unchanged.

The exit code is 2 if the pack is not valid; the error has file and line of each problem.
It is 4 if a pack of its name exists. In both cases, nothing is stored.`,
		Example: `  lab pack add ./my-pack
  lab pack add https://git.example.org/course.git --revision v2 --path packs/networking`,
		Args: exactlyOne("a directory, an archive, a git repository or an OCI artifact", "lab pack add ./my-pack"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src.Ref = args[0]
			ctx, cancel := withTimeout(cmd.Context(), timeout)
			defer cancel()
			return runPackAdd(c, ctx, src)
		},
	}
	f := cmd.Flags()
	f.StringVar(&src.Revision, "revision", "", "commit, branch or tag of a git repository (default: its default branch)")
	f.StringVar(&src.Path, "path", "", "directory of the pack in the source (default: the one with pack.yaml)")
	f.DurationVar(&timeout, "timeout", 5*time.Minute, "give up after this time")
	return cmd
}

func runPackAdd(c *command, ctx context.Context, src packs.Source) error {
	progress := c.progress("")
	defer progress.Close()
	var added packs.Installed
	err := event.Reporter(progress.Report).For("").Do("Adding the pack", func(*event.Step) (err error) {
		added, err = c.Packs.Add(ctx, src)
		return err
	})
	if err != nil {
		return err
	}
	progress.Close()
	if c.format == ui.FormatTable {
		progress.Note("Start: lab exercise start --pack %s    Remove it: lab pack remove %[1]s", added.Pack.Name)
	}
	result := packOf(added)
	return ui.Print(c.streams.Out, c.format, result, func() ui.View { return packView(result) })
}

func newPackRemove(c *command) *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME...",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove packs",
		Long: `Remove packs that you added. The progress in their exercises stays, and so do the
namespaces of started exercises. To remove those first: lab exercise reset NAME --remove

A pack with files that you added or changed is moved instead of deleted, and the command
prints where.`,
		Example: `  lab pack remove my-pack`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.WithHint(usage("%s requires the name of a pack", cmd.CommandPath()), "list the packs: lab pack list")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			names, _ := c.Packs.Names()
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			progress := c.progress("")
			defer progress.Close()
			var errs []error
			for _, name := range args {
				kept, err := c.Packs.Remove(name)
				errs = append(errs, err)
				if kept != "" {
					progress.Note("Files of the pack %s were changed since it was added. They were moved to %s", name, kept)
				}
			}
			return errors.Join(errs...)
		},
	}
}

func newPackNew(c *command) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Create a pack with one exercise",
		Long: `Write a pack with one exercise into a new directory. The pack is correct: "lab exercise
verify" proves it. Its YAML files name JSON schemas, so that editors can complete them.`,
		Example: `  lab pack new my-pack
  lab exercise verify ./my-pack --flavor kwok`,
		Args: exactlyOne("a name", "lab pack new my-pack"),
		RunE: func(_ *cobra.Command, args []string) error {
			to := dir
			if to == "" {
				to = args[0]
			}
			if err := packs.New(to, args[0]); err != nil {
				return err
			}
			pack, err := c.Packs.Open(here(to))
			if err != nil {
				return err
			}
			if c.format == ui.FormatTable {
				progress := c.progress("")
				defer progress.Close()
				progress.Note("Prove it: lab exercise verify %s    Try it: lab exercise start --pack %[1]s", fault.ShellWord(here(to)))
			}
			result := packOf(packs.Installed{Pack: pack, Record: packs.Record{Source: to}})
			return ui.Print(c.streams.Out, c.format, result, func() ui.View { return packView(result) })
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the new directory (default: NAME)")
	return cmd
}

// here returns a path that is not taken for the name of a pack.
func here(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return "./" + filepath.ToSlash(path)
}

// exactlyOne accepts one argument.
func exactlyOne(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fault.WithHint(usage("%s accepts one argument, %s; received %d: %q", cmd.CommandPath(), what, len(args), args), "for example: %s", example)
	}
}

// packOf returns a pack for output.
func packOf(p packs.Installed) Pack {
	result := Pack{
		Meta: output.NewMeta("Pack"), Name: p.Pack.Name, Builtin: p.Pack.Name == learning.BuiltinPack, Exercises: []string{},
		Languages: p.Pack.Languages, Source: p.Source, Revision: p.Revision, Digest: p.Digest,
	}
	for _, e := range p.Pack.Exercises {
		result.Exercises = append(result.Exercises, e.Name)
	}
	if !p.AddedAt.IsZero() {
		result.AddedAt = &p.AddedAt
	}
	return result
}

// shownSource returns where a pack came from, in one line.
func (p Pack) shownSource() string {
	if p.Builtin {
		return "part of lab"
	}
	return packs.Record{Source: p.Source, Revision: p.Revision}.String()
}

func packView(p Pack) ui.View {
	d := &ui.Details{}
	d.Add("Name", p.Name)
	d.Add("Exercises", strings.Join(p.Exercises, ", "))
	d.Add("Languages", strings.Join(p.Languages, ", "))
	d.Add("Source", p.shownSource())
	return d
}
