package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/event"
)

// PackReport is the result of `lab exercise verify`.
type PackReport struct {
	output.Meta
	Pack   string      `json:"pack"`
	Flavor string      `json:"flavor"`
	Valid  bool        `json:"valid"`
	Items  []PackProof `json:"items"`
}

// PackProof is the proof of one exercise.
type PackProof struct {
	Name     string   `json:"name"`
	Valid    bool     `json:"valid"`
	Half     bool     `json:"half"`     // some checks need containers that run
	Steps    int      `json:"steps"`    // that were tried
	Hints    int      `json:"hints"`    // that the exercise has
	Proven   int      `json:"proven"`   // hints that a wrong answer gets
	Unproven []string `json:"unproven"` // the other hints, as CHECK/HINT
	Problems []string `json:"problems"`
	Notes    []string `json:"notes"` // what the author should look at
	Seconds  float64  `json:"seconds"`
}

// verifyOptions are the flags of `lab exercise verify`.
type verifyOptions struct {
	upOptions
	only     []string
	patience time.Duration
	failFast bool
}

func newExerciseVerify(c *command, o *exerciseOptions) *cobra.Command {
	v := &verifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify [PACK]",
		Short: "Prove that the exercises of a pack are correct",
		Long: `Create a temporary cluster, and prove every exercise of a pack on it: in the beginning
no check passes, each wrong answer fails its check and gets its hint, the solution and
other valid answers pass, and a reset restores the beginning. Then delete the cluster.
The cluster has the addons that the exercises need. Exercises that need what the flavor
lacks are left out.

PACK is a name of "lab pack list" or the path of a directory (default: the builtin pack).

If it is interrupted, it prints the results of the exercises that it has finished. The
exit code is 0 only if all exercises are correct. It is 2 if the pack is not valid.`,
		Example: `  lab exercise verify --flavor kwok
  lab exercise verify ./my-pack --flavor kwok --exercise pods`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.pack = args[0]
			}
			return runExerciseVerify(c, cmd.Context(), o, v)
		},
	}
	v.setting(cmd.Flags(), "flavor", "flavor", "tool that creates the cluster (default: as in lab up)")
	cmd.Flags().DurationVar(&v.timeout, "timeout", 10*time.Minute, "time limit for the creation of the cluster")
	cmd.Flags().StringSliceVar(&v.only, "exercise", nil, "verify only these exercises")
	cmd.Flags().DurationVar(&v.patience, "patience", time.Minute, "how long an answer may take to have its results, without checks that act")
	cmd.Flags().BoolVar(&v.failFast, "fail-fast", false, "stop each exercise at its first problem")
	return cmd
}

func runExerciseVerify(c *command, ctx context.Context, o *exerciseOptions, u *verifyOptions) error {
	pack, err := c.Packs.Open(o.pack)
	if err != nil {
		return err
	}
	list := pack.Exercises
	if len(u.only) > 0 {
		list = nil
		for _, name := range u.only {
			e, err := pack.Get(name)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
	}
	if err := u.fit(list); err != nil {
		return err
	}
	report := PackReport{Meta: output.NewMeta("PackReport"), Pack: pack.Name, Valid: true, Items: []PackProof{}}
	err = c.prove(ctx, u, list, &report)
	if err != nil && len(report.Items) == 0 {
		return err
	}
	report.Valid = report.Valid && err == nil
	if printErr := ui.Print(c.streams.Out, c.format, report, func() ui.View { return proofView(report) }); err == nil {
		err = printErr
	}
	if err == nil && !report.Valid {
		return exited(1)
	}
	return err
}

// prove proves exercises on a temporary cluster.
func (c *command) prove(ctx context.Context, u *verifyOptions, list []*exercises.Exercise, report *PackReport) error {
	name := clusters.RunName()
	_, request, err := upRequest(c, &u.upOptions, []string{name})
	if err != nil {
		return err
	}
	progress := c.progress(name)
	defer progress.Close()
	limited, cancel := withTimeout(ctx, u.timeout)
	defer cancel()
	left, err := c.Runs.Run(limited, request, clusters.Work{
		Do: func(r clusters.Running) error {
			report.Flavor = r.Flavor
			return c.proveOn(ctx, u, r, list, report, progress.Report)
		},
		Failed: func(clusters.Running) {},
		Keep:   func() bool { return false },
	}, progress.Report)
	if left != nil {
		progress.Warn("%v (the next lab command deletes the leftovers; to delete them now: lab gc)", left)
	}
	return err
}

func (c *command) proveOn(
	ctx context.Context, u *verifyOptions, r clusters.Running, list []*exercises.Exercise, report *PackReport, events event.Reporter,
) error {
	record, err := c.Inventory.State.Get(r.Name)
	if err != nil {
		return err
	}
	if record.Traits.RunsPods && len(list) > 0 {
		if err := c.Learning.LoadImages(ctx, list[0].Pack, inventory.RefOf(record), events.For(r.Name)); err != nil {
			return err
		}
	}
	cluster, err := c.Learning.Connect(r.Config)
	if err != nil {
		return err
	}
	kubectl, err := c.programOn(r, c.findKubectl)
	if err != nil {
		return err
	}
	v := learning.Verifier{
		Cluster: cluster, Kubectl: kubectl, Helm: c.helmOn(r), RunsPods: record.Traits.RunsPods, Nodes: len(r.Nodes),
		Patience: u.patience, FailFast: u.failFast, Send: c.Learning.Sender(r.Config, r.Name, nil),
	}
	err = events.For(r.Name).Do(fmt.Sprintf("Verifying %d exercises", len(list)), func(step *event.Step) error {
		return v.Verify(ctx, list, func(p learning.Proof) {
			report.add(p)
			step.Progress(fmt.Sprintf("%d of %d", len(report.Items), len(list)))
		})
	})
	slices.SortFunc(report.Items, func(a, b PackProof) int {
		position := func(name string) int {
			return slices.IndexFunc(list, func(e *exercises.Exercise) bool { return e.Name == name })
		}
		return position(a.Name) - position(b.Name)
	})
	return err
}

func (r *PackReport) add(p learning.Proof) {
	unproven := append([]string{}, p.Exercise.UnprovenHints()...)
	item := PackProof{
		Name: p.Exercise.Name, Valid: len(p.Problems) == 0, Half: p.Half, Steps: p.Steps, Problems: append([]string{}, p.Problems...), Notes: append([]string{}, p.Notes...),
		Hints: p.Exercise.Hints(), Proven: p.Exercise.Hints() - len(unproven), Unproven: unproven,
		Seconds: p.Took.Round(100 * time.Millisecond).Seconds(),
	}
	r.Items = append(r.Items, item)
	r.Valid = r.Valid && item.Valid
}

// programOn returns a function that runs kubectl or helm on the cluster of a run.
func (c *command) programOn(r clusters.Running, find func() (string, []string, error)) (learning.Program, error) {
	path, first, err := find()
	if err != nil {
		return nil, err
	}
	file, err := c.Inventory.State.Kubeconfig(r.Name, r.Config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, dir string, args []string, stdin []byte) error {
		cmd := exec.CommandContext(ctx, path, slices.Concat(first, args)...)
		cmd.Dir = dir
		cache := c.Inventory.State.Cache(r.Name)
		cmd.Env = append(c.clientEnv(r.Name, file), "KUBERC=off", "HELM_DRIVER=secret", // without the settings of the user
			"HELM_CONFIG_HOME="+cache, "HELM_CACHE_HOME="+cache, "HELM_DATA_HOME="+cache)
		cmd.Stdin = bytes.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			if text := strings.TrimSpace(string(out)); text != "" {
				return errors.New(text)
			}
		}
		return err
	}, nil
}

// helmOn returns a function that runs helm on the cluster of a run. Without helm, the function fails, so
// that only the exercises that need helm do.
func (c *command) helmOn(r clusters.Running) learning.Program {
	helm, err := c.programOn(r, c.findHelm)
	if err != nil {
		return func(context.Context, string, []string, []byte) error { return err }
	}
	return helm
}

func proofView(r PackReport) ui.View {
	p := &ui.Page{}
	for _, item := range r.Items {
		mark := ui.MarkPassed
		switch {
		case !item.Valid:
			mark = ui.MarkFailed
		case item.Half:
			mark = ui.MarkHalf
		}
		details := slices.Concat(item.Problems, item.Notes)
		if len(item.Unproven) > 0 {
			details = append(details, "no wrong answer gets these hints: "+strings.Join(item.Unproven, ", "))
		}
		p.Result(mark, fmt.Sprintf("%s: %d steps, %d of %d hints proven, %.1f s", item.Name, item.Steps, item.Proven, item.Hints, item.Seconds), details...)
	}
	return p
}
