package cli

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
)

// ExerciseList is the result of `lab exercise list` and `lab exercise status`.
type ExerciseList struct {
	output.Meta
	Pack    string         `json:"pack"`
	Current string         `json:"current"` // the exercise that was started last, or ""
	Next    string         `json:"next"`    // the one to continue with or to start, or ""
	Items   []ExerciseItem `json:"items"`
}

// ExerciseItem is an exercise in a list.
type ExerciseItem struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	State   string `json:"state"` // new, started, half, passed
	Cluster string `json:"cluster,omitempty"`

	Needs ExerciseNeeds `json:"needs"`
}

// ExerciseNeeds is what an exercise needs of a cluster.
type ExerciseNeeds struct {
	Nodes  int      `json:"nodes"` // at least 1
	Pods   bool     `json:"pods"`  // containers must run
	Addons []string `json:"addons"`
}

func needsOf(n exercises.Needs) ExerciseNeeds {
	return ExerciseNeeds{max(n.Nodes, 1), n.Pods, append([]string{}, n.AddonNames()...)}
}

// list returns the exercises of a pack with the progress.
func (l lesson) list(c *command) (ExerciseList, error) {
	list := ExerciseList{Meta: output.NewMeta("ExerciseList"), Pack: l.Name}
	items, warning, err := c.Learning.List(l.Pack)
	if err != nil {
		return list, err
	}
	if warning != "" {
		progress := c.progress("")
		defer progress.Close()
		progress.Warn("%s", warning)
	}
	for _, item := range items {
		if item.Current {
			list.Current = item.Exercise.Name
		}
		list.Items = append(list.Items, ExerciseItem{item.Exercise.Name, item.Exercise.Texts[l.lang].Title, item.State, item.Cluster, needsOf(item.Exercise.Needs)})
	}
	next, err := c.Learning.Next(l.Pack)
	if next != nil {
		list.Next = next.Name
	}
	return list, err
}

func newExerciseList(c *command, o *exerciseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the exercises and your progress",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := o.open(c)
			if err != nil {
				return err
			}
			list, err := l.list(c)
			if err != nil {
				return err
			}
			return ui.Print(c.streams.Out, c.format, list, func() ui.View {
				t := ui.NewTable(l.words.columns...)
				for _, item := range list.Items {
					t.Row(item.Name, ui.State(l.words.states[item.State]), item.Title, l.words.needs(item.Needs))
				}
				return t
			})
		},
	}
}

func newExerciseStatus(c *command, o *exerciseOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show where you are and what to do next",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return runExerciseStatus(c, o) },
	}
}

func runExerciseStatus(c *command, o *exerciseOptions) error {
	l, err := o.open(c)
	if err != nil {
		return err
	}
	list, err := l.list(c)
	if err != nil {
		return err
	}
	up := "" // creates the cluster
	if name := cmp.Or(list.Next, list.Current); name != "" {
		if choice, err := c.Learning.Choose(l.Pack, name, ""); err == nil && !c.Learning.HasCluster(choice) {
			up = " --up"
		}
	}
	return ui.Print(c.streams.Out, c.format, list, func() ui.View { return l.statusView(list, up) })
}

func (l lesson) statusView(list ExerciseList, up string) ui.View {
	p := &ui.Page{}
	passed, width := 0, 0
	for _, item := range list.Items {
		width = max(width, len(item.Name))
	}
	for _, item := range list.Items {
		if item.State == learning.StatePassed {
			passed++
		}
		p.Result(markOf(item.State), fmt.Sprintf("%-*s  %s", width, item.Name, item.Title), l.words.here(item.Name == list.Current, item.Cluster))
	}
	p.Gap()
	p.Markdown(l.words.progress(passed, len(list.Items)))
	switch started := list.Current != "" && list.Next == list.Current; {
	case started && up == "":
		p.Line(l.words.commands("lab exercise check"+l.flags, "lab exercise hint"+l.flags))
	case list.Next != "":
		p.Line(l.words.next("lab exercise start " + list.Next + up + l.flags))
	}
	return p
}

func markOf(state string) ui.Mark {
	switch state {
	case learning.StatePassed:
		return ui.MarkPassed
	case learning.StateHalf:
		return ui.MarkHalf
	case learning.StateStarted:
		return ui.MarkPending
	}
	return ui.MarkSkipped
}
