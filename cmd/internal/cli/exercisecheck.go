package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
)

// ExerciseReport is the result of `lab exercise check`.
type ExerciseReport struct {
	output.Meta
	Pack    string          `json:"pack"`
	Name    string          `json:"name"`
	Title   string          `json:"title"`
	Cluster string          `json:"cluster"`
	Passed  bool            `json:"passed"`
	Half    bool            `json:"half"`              // passed, except for checks that need containers that run
	Holding bool            `json:"holding,omitempty"` // it passes, and exercise watch waits whether it stays so
	Checks  []ExerciseCheck `json:"checks"`
	Notes   []string        `json:"notes"`          // Markdown
	Done    string          `json:"done,omitempty"` // Markdown; the explanation, if it passed
	Next    string          `json:"next,omitempty"` // the next exercise, if it passed
}

func newExerciseCheck(c *command, o *exerciseOptions) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "check [EXERCISE]",
		Short: "Check an exercise",
		Long: `Check an exercise, and print what is missing. Without an argument, check the exercise
that you started last. While objects change, check waits, at most for --settle.

Some checks change the cluster, for example delete a pod to see whether it is replaced.
They run after all others passed, and restore what they changed, even after an interrupt.

The exit code is 0 only if the exercise passed. On a cluster that simulates containers,
some checks are not possible: then the exercise is half done, and the exit code is 1.`,
		Example: `  lab exercise check
  lab exercise check service -o json`,
	}
	o.onExercise(c, cmd, func(ctx context.Context, l lesson, choice learning.Choice) error {
		progress := c.progress(choice.Cluster)
		defer progress.Close()
		report, err := c.Learning.Check(ctx, choice, wait, l.reporter(progress.Report))
		if err != nil {
			return err
		}
		progress.Close()
		return c.printReport(l, report)
	})
	o.onCluster(c, cmd)
	cmd.Flags().DurationVar(&wait, "settle", 10*time.Second, "how long to wait for objects that change")
	return cmd
}

// printReport prints the result of a check. Its error is the exit code.
func (c *command) printReport(l lesson, report learning.Report) error {
	result := c.reportOf(l, report)
	if err := ui.Print(c.streams.Out, c.format, result, func() ui.View { return l.reportView(result) }); err != nil {
		return err
	}
	if !result.Passed {
		return exited(1)
	}
	return nil
}

func (c *command) reportOf(l lesson, report learning.Report) ExerciseReport {
	e, text := report.Exercise, report.Exercise.Texts[l.lang]
	result := ExerciseReport{
		Meta: output.NewMeta("ExerciseReport"), Pack: e.Pack, Name: e.Name, Title: text.Title, Cluster: report.Cluster,
		Passed: report.Results.Passed() && !report.Holding, Half: report.Results.Half() && !report.Holding, Holding: report.Holding,
		Checks: []ExerciseCheck{}, Notes: []string{},
	}
	for _, r := range report.Results {
		check := ExerciseCheck{ID: r.ID, Wanted: text.Checks[r.ID].Wanted, State: string(r.State), Found: r.Found}
		if r.Err != nil {
			check.Reason = r.Err.Error()
		}
		result.Checks = append(result.Checks, check)
	}
	if result.Passed || result.Half {
		result.Done = text.Done
		if next, err := c.Learning.Next(l.Pack); err == nil && next != nil {
			result.Next = next.Name
		}
		return result
	}
	result.Notes = append(result.Notes, c.notes(l, report)...)
	return result
}

// notes says what a student may have overlooked: another namespace, another context.
func (c *command) notes(l lesson, report learning.Report) []string {
	var notes []string
	e := report.Exercise
	if len(report.Found) > 0 {
		notes = append(notes, l.words.elsewhere(report.Kind, report.Object, strings.Join(report.Found, "`, `"), e.Namespaces[0]))
	}
	files := c.Clusters.Kubeconfig
	current, err := files.Current()
	if err != nil || current == "" || report.Context == "" {
		return notes // the student may use lab kubectl
	}
	if current != report.Context {
		return append(notes, l.words.context(current, report.Context, report.Cluster))
	}
	namespace, err := files.Namespace()
	if err != nil || slices.Contains(e.Namespaces, namespace) {
		return notes
	}
	if len(report.Found) > 0 || l.hasNamespace(namespace) {
		notes = append(notes, l.words.namespace(namespace, e.Namespaces[0]))
	}
	return notes
}

// hasNamespace reports whether an exercise has this namespace.
func (l lesson) hasNamespace(name string) bool {
	return slices.ContainsFunc(l.Exercises, func(e *exercises.Exercise) bool { return slices.Contains(e.Namespaces, name) })
}

func (l lesson) reportView(r ExerciseReport) *ui.Page {
	p := &ui.Page{}
	p.Title(r.Title)
	p.Gap()
	l.showChecks(p, r.Checks)
	p.Gap()
	for _, note := range r.Notes {
		p.Markdown(note)
	}
	switch {
	case r.Holding:
		p.Markdown(l.words.holding)
		return p
	case r.Passed:
		p.Result(ui.MarkPassed, l.words.passed(r.Title))
	case r.Half:
		p.Result(ui.MarkHalf, l.words.half)
	default:
		p.Line(l.words.commands("lab exercise check"+l.flags, "lab exercise hint"+l.flags))
		return p
	}
	p.Gap()
	p.Markdown(r.Done)
	p.Gap()
	l.showNext(p, r.Next)
	return p
}

// showChecks adds the results of checks. Only the first check that failed shows what was found.
func (l lesson) showChecks(p *ui.Page, checks []ExerciseCheck) {
	failed := false
	for _, check := range checks {
		switch exercises.Verdict(check.State) {
		case exercises.Passed:
			p.Result(ui.MarkPassed, check.Wanted)
		case exercises.Skipped:
			p.Result(ui.MarkSkipped, check.Wanted, l.words.skipped)
		case exercises.Pending:
			p.Result(ui.MarkPending, check.Wanted, l.words.pending)
		case exercises.Broken:
			p.Result(ui.MarkFailed, check.Wanted, check.Reason)
		default:
			found := ""
			if !failed && check.Found != "" {
				found = l.words.found(check.Found)
			}
			failed = true
			p.Result(ui.MarkFailed, check.Wanted, found)
		}
	}
}

// showNext adds the command that starts the next exercise.
func (l lesson) showNext(p *ui.Page, name string) {
	if name == "" {
		p.Markdown(l.words.finished)
		return
	}
	if next, err := l.Get(name); err == nil {
		p.Markdown(l.words.titled(next.Texts[l.lang].Title))
	}
	p.Line("    lab exercise start " + name + l.flags)
}
