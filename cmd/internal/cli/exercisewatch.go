package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func newExerciseWatch(c *command, o *exerciseOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch [EXERCISE]",
		Short: "Check an exercise whenever something changes",
		Long: `Check an exercise whenever one of its objects changes, and show the result, until it has
passed for three seconds or you press Ctrl-C. On a terminal, watch redraws the result in
place; in a pipe, it prints each result that differs from the one before.

Checks that change the cluster do not run: they belong to "lab exercise check". If the
cluster does not answer, watch says so and continues when it answers again. If the cluster
is deleted, watch ends with exit code 3. After Ctrl-C, the exit code is 130.`,
		Example: `  lab exercise watch`,
	}
	o.onExercise(c, cmd, func(ctx context.Context, l lesson, choice learning.Choice) error {
		err := runExerciseWatch(c, ctx, l, choice)
		if err != nil && ctx.Err() != nil { // Ctrl-C is the usual end, as of kubectl get --watch
			return exited(codeInterrupted)
		}
		return err
	})
	o.onCluster(c, cmd)
	return cmd
}

func runExerciseWatch(c *command, ctx context.Context, l lesson, choice learning.Choice) error {
	progress := c.progress(choice.Cluster)
	defer progress.Close()
	if c.format == ui.FormatTable && c.mode == ui.ModeAuto {
		if screen := ui.NewScreen(c.streams.Out); screen != nil {
			return c.watchOn(ctx, screen, l, choice)
		}
	}
	series := ui.NewSeries(c.streams.Out, c.format)
	return c.Learning.Watch(ctx, choice, func(report learning.Report, err error) error {
		if err != nil {
			progress.Warn("%s", l.retrying(err))
			return nil
		}
		result := c.reportOf(l, report)
		return series.Print(result, l.reportView(result))
	})
}

// watchOn shows the results on a screen, which keeps the last one.
func (c *command) watchOn(ctx context.Context, screen *ui.Screen, l lesson, choice learning.Choice) error {
	last := &ui.Page{}
	last.Title(choice.Exercise.Texts[l.lang].Title)
	defer func() { screen.Close(last) }()
	return c.Learning.Watch(ctx, choice, func(report learning.Report, err error) error {
		if err != nil {
			last = &ui.Page{}
			last.Title(choice.Exercise.Texts[l.lang].Title)
			last.Gap()
			last.Result(ui.MarkPending, l.retrying(err))
		} else {
			last = l.reportView(c.reportOf(l, report))
		}
		screen.Show(last)
		return nil
	})
}

// retrying describes an error with its hint, and that watch continues.
func (l lesson) retrying(err error) string {
	if l.lang == "ru" {
		err = inRussian(err)
	}
	err = withFlags(err, l.flags)
	text := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text = fmt.Sprintf("%s (%s)", text, hint)
	}
	return l.words.retrying(text)
}
