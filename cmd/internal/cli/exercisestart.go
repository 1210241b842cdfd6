package cli

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Exercise is the result of `lab exercise start` and `lab exercise reset`.
type Exercise struct {
	output.Meta
	Pack       string          `json:"pack"`
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	Cluster    string          `json:"cluster"`
	Namespaces []string        `json:"namespaces"`
	Task       string          `json:"task"` // Markdown
	Checks     []ExerciseCheck `json:"checks"`
}

// ExerciseCheck is a check of an exercise.
type ExerciseCheck struct {
	ID     string `json:"id"`
	Wanted string `json:"wanted"`          // Markdown
	State  string `json:"state,omitempty"` // passed, failed, pending, skipped, broken; "" before a check
	Found  string `json:"found,omitempty"`
	Reason string `json:"reason,omitempty"` // why it is broken
}

func newExerciseStart(c *command, o *exerciseOptions) *cobra.Command {
	var up bool
	cmd := &cobra.Command{
		Use:   "start [EXERCISE]",
		Short: "Start an exercise",
		Long: `Create the namespaces of an exercise and its objects, and print the task. Without an
argument, start the current exercise again or, if you passed it, the next one that you
have not passed. Objects that exist stay as they are; "lab exercise reset" starts over.

lab creates objects only in namespaces that it created for the exercise. If the cluster
has a namespace of that name, the exit code is 4. If there is no cluster, it is 3, and
the hint has the command that creates one; --up creates it. lab installs the addons that
the exercise needs, if the cluster does not have them; they stay. If the cluster lacks
something else that the exercise needs, the exit code is 6.`,
		Example: `  lab exercise start
  lab exercise start service --up`,
		Args:              oneExercise,
		ValidArgsFunction: c.completeExercises(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := o.open(c)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				next, err := c.Learning.Next(l.Pack)
				if err != nil {
					return err
				}
				if next == nil {
					next = l.Exercises[0]
				}
				args = []string{next.Name}
			}
			choice, err := c.Learning.Choose(l.Pack, args[0], o.name)
			if err != nil {
				return err
			}
			choice.Lang = o.lang
			l.flags = o.packFlag() // a start remembers the language
			return runExerciseStart(c, cmd.Context(), l, choice, up)
		},
	}
	o.onCluster(c, cmd)
	cmd.Flags().BoolVar(&up, "up", false, "create the cluster if it does not exist")
	return cmd
}

func runExerciseStart(c *command, ctx context.Context, l lesson, choice learning.Choice, up bool) error {
	progress := c.progress(choice.Cluster)
	defer progress.Close()
	err := c.Learning.Start(ctx, choice, l.reporter(progress.Report))
	if up && errors.Is(err, fault.ErrNotFound) {
		if err = createFor(c, ctx, choice, progress.Report); err == nil {
			err = c.Learning.Start(ctx, choice, l.reporter(progress.Report))
		}
	}
	if err != nil {
		return err
	}
	progress.Close()
	return c.printExercise(l, choice)
}

// createFor creates a cluster that fits an exercise, with the default flavor.
func createFor(c *command, ctx context.Context, choice learning.Choice, report event.Reporter) error {
	o := &upOptions{}
	if err := o.fit([]*exercises.Exercise{choice.Exercise}); err != nil {
		return err
	}
	_, request, err := upRequest(c, o, []string{choice.Cluster})
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx, 10*time.Minute)
	defer cancel()
	_, err = c.Clusters.Up(ctx, request, report)
	return err
}

// fit adds to the request of a cluster what exercises need.
func (o *upOptions) fit(list []*exercises.Exercise) error {
	workers, seen := 0, map[string]bool{}
	for _, e := range list {
		workers = max(workers, learning.Workers(e))
		for _, name := range e.Needs.AddonNames() {
			if seen[name] {
				continue
			}
			seen[name] = true
			if err := o.layer.Flag("addons", "the exercise").Set(name); err != nil {
				return err
			}
		}
	}
	if workers == 0 {
		return nil
	}
	return o.layer.Flag("cluster.workers", "the exercise").Set(strconv.Itoa(workers))
}

func (c *command) printExercise(l lesson, choice learning.Choice) error {
	e, text := choice.Exercise, choice.Exercise.Texts[l.lang]
	result := Exercise{
		Meta: output.NewMeta("Exercise"), Pack: e.Pack, Name: e.Name, Title: text.Title, Cluster: choice.Cluster,
		Namespaces: e.Namespaces, Task: text.Task, Checks: []ExerciseCheck{},
	}
	for _, check := range e.Checks {
		result.Checks = append(result.Checks, ExerciseCheck{ID: check.ID.Value, Wanted: text.Checks[check.ID.Value].Wanted})
	}
	return ui.Print(c.streams.Out, c.format, result, func() ui.View {
		p := &ui.Page{}
		p.Title(text.Title)
		p.Gap()
		p.Markdown(text.Task)
		p.Gap()
		if c.Learning.OnlyHalf(choice) {
			p.Markdown(l.words.onlyHalf)
		}
		p.Markdown(l.words.space(e.Namespaces))
		if _, err := exec.LookPath("kubectl"); err != nil {
			p.Markdown(l.words.noKubectl(kubectlArgs(choice.Cluster)))
		}
		p.Line(l.words.commands("lab exercise check"+l.flags, "lab exercise hint"+l.flags))
		return p
	})
}

// kubectlArgs returns the command that runs the kubectl of lab on a cluster.
func kubectlArgs(cluster string) string {
	if cluster == inventory.DefaultName {
		return "lab kubectl --"
	}
	return "lab kubectl " + cluster + " --"
}

func newExerciseReset(c *command, o *exerciseOptions) *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use:   "reset [EXERCISE]",
		Short: "Start an exercise over, or remove it from the cluster",
		Long: `Delete the namespaces of an exercise with everything in them, and start the exercise
again. Without an argument, reset the exercise that you started last. lab deletes only
namespaces that it created for the exercise.

If a namespace hangs, the exit code is 7, and the error says what keeps it.`,
		Example: `  lab exercise reset
  lab exercise reset service --remove`,
	}
	o.onExercise(c, cmd, func(ctx context.Context, l lesson, choice learning.Choice) error {
		progress := c.progress(choice.Cluster)
		defer progress.Close()
		if err := c.Learning.Reset(ctx, choice, !remove, l.reporter(progress.Report)); err != nil || remove {
			return err
		}
		progress.Close()
		return c.printExercise(l, choice)
	})
	o.onCluster(c, cmd)
	cmd.Flags().BoolVar(&remove, "remove", false, "delete the namespaces, and do not start again")
	return cmd
}
