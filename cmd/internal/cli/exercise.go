package cli

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// exerciseOptions are the flags of all exercise commands.
type exerciseOptions struct {
	pack  string
	lang  string
	saved string // the language of the last start of the pack
	name  string // of the cluster
}

func newExercise(c *command) *cobra.Command {
	o := &exerciseOptions{}
	cmd := &cobra.Command{
		Use:   "exercise",
		Short: "Learn Kubernetes with exercises that check themselves",
		Long: `Learn Kubernetes on your own cluster. Without a subcommand, show where you are and what
to do next.

An exercise has its own namespaces. "start" prepares them and prints the task, "check"
prints what is missing, "hint" prints one step of help, and "reset" starts over. Your
progress is stored in lab's state directory, not in the cluster.

Texts are in the language of your locale if the pack has it. --lang selects another; if
"start" has it, the other commands use that language, too.`,
		Example: `  lab exercise start           start the next exercise
  lab exercise check           check it`,
		Args: onlyVerbs,
		RunE: func(*cobra.Command, []string) error { return runExerciseStatus(c, o) },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.pack, "pack", learning.BuiltinPack, "name of a `pack` (see lab pack list), or the path of a directory")
	f.StringVar(&o.lang, "lang", "", "language, such as en or ru (default: that of the last start, or of the locale)")
	cmd.AddCommand(
		newExerciseList(c, o), newExerciseStart(c, o), newExerciseCheck(c, o), newExerciseWatch(c, o), newExerciseHint(c, o),
		newExerciseReset(c, o), newExerciseSolution(c, o), newExerciseStatus(c, o), newExerciseFiles(c, o), newExerciseVerify(c, o), newExerciseSchema(),
	)
	for _, sub := range append(cmd.Commands(), cmd) {
		check, run := sub.Args, sub.RunE
		sub.Args = func(cmd *cobra.Command, args []string) error { return o.localize(c, check(cmd, args)) }
		sub.RunE = func(cmd *cobra.Command, args []string) error { return o.localize(c, run(cmd, args)) }
	}
	return cmd
}

// oneExercise accepts at most one argument.
func oneExercise(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fault.WithHint(usage("%s accepts one exercise, received %d: %q", cmd.CommandPath(), len(args), args), "list the exercises: lab exercise list")
	}
	return nil
}

// completeExercises completes the names of exercises.
func (c *command) completeExercises(o *exerciseOptions) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		pack, err := c.Packs.Open(o.pack)
		if len(args) > 0 || err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, e := range pack.Exercises {
			names = append(names, e.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// onCluster adds --name without a default: an exercise remembers its cluster.
func (o *exerciseOptions) onCluster(c *command, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.name, "name", "", "name of the cluster (default: that of the last start, or \""+inventory.DefaultName+"\")")
	_ = cmd.RegisterFlagCompletionFunc("name", func(cmd *cobra.Command, _ []string, s string) ([]string, cobra.ShellCompDirective) {
		return c.completeNames(cmd, nil, s)
	})
}

// lesson is a pack, and the language of its texts.
type lesson struct {
	*exercises.Pack
	lang  string
	words phrases
	flags string // those of exerciseOptions.flags
}

// open reads the pack and chooses the language. It returns ErrInvalid for a language that the pack
// does not have.
func (o *exerciseOptions) open(c *command) (lesson, error) {
	pack, err := c.Packs.Open(o.pack)
	if err != nil {
		return lesson{}, err
	}
	if o.lang != "" && !slices.Contains(pack.Languages, o.lang) {
		err := usage("pack %s has no language %q", pack.Name, o.lang)
		return lesson{}, fault.WithHint(err, "use one of %s", strings.Join(pack.Languages, ", "))
	}
	o.saved, _ = c.Learning.Language(pack.Name) // commands that need the progress report its errors
	if o.speaksRussian(c) {
		c.streams.SetLabels(russianLabels())
	}
	lang := pack.Languages[0]
	for _, wanted := range []string{localeOf(os.Getenv), o.saved, o.lang} { // the last one that the pack has counts
		if slices.Contains(pack.Languages, wanted) {
			lang = wanted
		}
	}
	return lesson{Pack: pack, lang: lang, words: phrasesOf(lang), flags: o.flags()}, nil
}

// flags returns the flags with which another command means the same pack and language, such as " --pack DIR", or "".
func (o *exerciseOptions) flags() string {
	if o.lang == "" || o.lang == o.saved {
		return o.packFlag()
	}
	return o.packFlag() + " --lang " + fault.ShellWord(o.lang)
}

func (o *exerciseOptions) packFlag() string {
	if o.pack == learning.BuiltinPack {
		return ""
	}
	return " --pack " + fault.ShellWord(o.pack)
}

// localize returns an error in the language of the user, with the flags of the user in the commands of its hint.
func (o *exerciseOptions) localize(c *command, err error) error {
	if _, silent := exitCode(err); silent {
		return err
	}
	if o.speaksRussian(c) {
		c.streams.SetLabels(russianLabels())
		err = inRussian(err)
	}
	return withFlags(err, o.flags())
}

// withFlags adds flags to the exercise commands of a hint.
func withFlags(err error, flags string) error {
	hint := fault.HintOf(err)
	if hint == "" || flags == "" {
		return err
	}
	command := regexp.MustCompile(`lab exercise (list|start|check|watch|hint|reset|solution|status|files)\b[^;?\n]*`)
	return fault.WithHint(err, "%s", command.ReplaceAllStringFunc(hint, func(found string) string { return found + flags }))
}

// choose returns the lesson, and the exercise of the arguments or the current one.
func (o *exerciseOptions) choose(c *command, args []string) (lesson, learning.Choice, error) {
	l, err := o.open(c)
	if err != nil {
		return l, learning.Choice{}, err
	}
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	choice, err := c.Learning.Choose(l.Pack, name, o.name)
	choice.Lang = o.lang
	return l, choice, err
}

// onExercise lets a command accept an exercise, by default the current one, and run with it.
func (o *exerciseOptions) onExercise(c *command, cmd *cobra.Command, run func(context.Context, lesson, learning.Choice) error) {
	cmd.Args, cmd.ValidArgsFunction = oneExercise, c.completeExercises(o)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		l, choice, err := o.choose(c, args)
		if err != nil {
			return err
		}
		return run(cmd.Context(), l, choice)
	}
}

// localeOf returns the language of the locale, such as ru for ru_RU.UTF-8, or "".
func localeOf(getenv func(string) string) string {
	for _, key := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(key); value != "" {
			return strings.ToLower(value[:min(2, len(value))])
		}
	}
	return ""
}

func newExerciseSchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema pack|exercise",
		Short:   "Print the JSON schema of pack.yaml or exercise.yaml",
		Example: `  lab exercise schema exercise > exercise.schema.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "pack" && args[0] != "exercise" {
				return fault.WithHint(usage("%s needs one argument: pack or exercise", cmd.CommandPath()), "for example: lab exercise schema exercise")
			}
			return nil
		},
		ValidArgs: []string{"pack", "exercise"},
		RunE: func(cmd *cobra.Command, args []string) error {
			schema := exercises.ExerciseSchema
			if args[0] == "pack" {
				schema = exercises.PackSchema
			}
			text, err := schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
