package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
)

// ExerciseHint is the result of `lab exercise hint`.
type ExerciseHint struct {
	output.Meta
	Pack  string   `json:"pack"`
	Name  string   `json:"name"`
	Check string   `json:"check"` // "" if nothing is wrong
	Hint  string   `json:"hint"`
	Step  int      `json:"step"`
	Steps int      `json:"steps"`
	Text  string   `json:"text"` // Markdown
	Notes []string `json:"notes"`
}

func newExerciseHint(c *command, o *exerciseOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hint [EXERCISE]",
		Short: "Print a hint for the first check that fails",
		Long: `Look at the cluster, and print a hint for the first check that fails. Each call prints
the next, more precise step.`,
		Example: `  lab exercise hint`,
	}
	o.onExercise(c, cmd, func(ctx context.Context, l lesson, choice learning.Choice) error {
		return runExerciseHint(c, ctx, l, choice)
	})
	o.onCluster(c, cmd)
	return cmd
}

func runExerciseHint(c *command, ctx context.Context, l lesson, choice learning.Choice) error {
	texts := choice.Exercise.Texts[l.lang].Checks
	hint, err := c.Learning.Hint(ctx, choice, func(check, hint string) int { return len(texts[check].Hints[hint]) })
	if err != nil {
		return err
	}
	result := ExerciseHint{
		Meta: output.NewMeta("ExerciseHint"), Pack: choice.Exercise.Pack, Name: choice.Exercise.Name,
		Check: hint.Check, Hint: hint.ID, Step: hint.Step, Notes: []string{},
	}
	if hint.Check != "" {
		steps := texts[hint.Check].Hints[hint.ID]
		if hint.Step < 1 || hint.Step > len(steps) {
			return errors.New("the check " + hint.Check + " has no hint")
		}
		result.Steps, result.Text = len(steps), steps[hint.Step-1]
		result.Notes = append(result.Notes, c.notes(l, hint.Report)...)
	}
	if hint.Check == "" {
		result.Text = c.withoutHint(l, hint)
	}
	return ui.Print(c.streams.Out, c.format, result, func() ui.View { return l.hintView(result, texts[result.Check].Wanted) })
}

// hintView shows a hint below the check that it is about.
func (l lesson) hintView(r ExerciseHint, wanted string) ui.View {
	p := &ui.Page{}
	if r.Check == "" {
		p.Markdown(r.Text)
		return p
	}
	p.Result(ui.MarkFailed, wanted)
	p.Gap()
	for _, note := range r.Notes { // more likely the cause than what the hint is about
		p.Markdown(note)
		p.Gap()
	}
	p.Title(l.words.hint(r.Step, r.Steps))
	p.Markdown(r.Text)
	if r.Step == r.Steps {
		p.Gap()
		p.Markdown(l.words.lastHint + l.flags)
	}
	return p
}

// withoutHint says what to do if no check fails.
func (c *command) withoutHint(l lesson, hint learning.Hint) string {
	next, err := c.Learning.Next(l.Pack)
	switch first, failed := hint.Results.First(); {
	case hint.State == learning.StatePassed && err == nil && next != nil:
		return l.words.already + " " + l.words.next("`lab exercise start "+next.Name+l.flags+"`")
	case hint.State == learning.StatePassed:
		return l.words.already + " " + l.words.finished
	case failed && first.State == exercises.Pending:
		return l.words.actFirst + l.flags + "`"
	}
	return l.words.noHint + l.flags + "`"
}

// ExerciseSolution is the result of `lab exercise solution`.
type ExerciseSolution struct {
	output.Meta
	Pack string `json:"pack"`
	Name string `json:"name"`
	Text string `json:"text"` // Markdown
}

func newExerciseSolution(c *command, o *exerciseOptions) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "solution [EXERCISE]",
		Short: "Show the solution of an exercise",
		Long: `Show the solution of an exercise that you passed. With --yes, show it before.
Without an argument, show that of the exercise that you started last.`,
		Example: `  lab exercise solution --yes`,
	}
	o.onExercise(c, cmd, func(_ context.Context, l lesson, choice learning.Choice) error {
		if err := c.Learning.Solution(choice, yes); err != nil {
			return err
		}
		e := choice.Exercise
		result := ExerciseSolution{output.NewMeta("ExerciseSolution"), e.Pack, e.Name, e.Texts[l.lang].Solution}
		return ui.Print(c.streams.Out, c.format, result, func() ui.View {
			p := &ui.Page{}
			p.Title(e.Texts[l.lang].Title)
			p.Gap()
			p.Markdown(result.Text)
			return p
		})
	})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "show the solution before you pass the exercise")
	return cmd
}
