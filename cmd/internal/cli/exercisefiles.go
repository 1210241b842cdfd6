package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// ExerciseFiles is the result of `lab exercise files`.
type ExerciseFiles struct {
	output.Meta
	Pack  string   `json:"pack"`
	Name  string   `json:"name"`
	Files []string `json:"files"` // the paths that were written
}

func newExerciseFiles(c *command, o *exerciseOptions) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "files [EXERCISE]",
		Short: "Write the files that you work with in an exercise",
		Long: `Write the files of an exercise, such as a chart, into the current directory. Without
an argument, write those of the exercise that you started last. The task says which
exercises have files.

If a file exists with another content, lab writes nothing, and the exit code is 4. It
is 3 if the exercise has no files.`,
		Example: `  lab exercise files
  lab exercise files helm --to ./lecture`,
	}
	o.onExercise(c, cmd, func(_ context.Context, _ lesson, choice learning.Choice) error {
		return runExerciseFiles(c, choice, dir)
	})
	cmd.Flags().StringVar(&dir, "to", ".", "`directory` to write into")
	return cmd
}

func runExerciseFiles(c *command, choice learning.Choice, dir string) error {
	e := choice.Exercise
	paths, err := learning.WriteFiles(e, dir)
	if err != nil {
		return err
	}
	result := ExerciseFiles{Meta: output.NewMeta("ExerciseFiles"), Pack: e.Pack, Name: e.Name, Files: paths}
	return ui.Print(c.streams.Out, c.format, result, func() ui.View {
		p := &ui.Page{}
		for _, path := range paths {
			p.Line(path)
		}
		return p
	})
}
