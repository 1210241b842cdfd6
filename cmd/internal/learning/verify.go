package learning

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/exercises"
)

const (
	// verifyTime is how long an answer may take to have the expected results.
	verifyTime = 60 * time.Second

	// settleTime is how long results must stay as expected while objects still change. Some never stop
	// changing, such as a pod that fits on no node.
	settleTime = 3 * time.Second

	// verifyJobs and simulatedJobs are the number of exercises that are verified at a time, on clusters that run and that
	// simulate pods. They have separate namespaces, and wait most of the time: a namespace takes five seconds to be deleted.
	verifyJobs    = 4
	simulatedJobs = 8
)

// Program runs kubectl or helm on the cluster, in a directory, with the given arguments and standard
// input. Its error contains what the program printed.
type Program func(ctx context.Context, dir string, args []string, stdin []byte) error

// Proof is the result of verifying an exercise.
type Proof struct {
	Exercise *exercises.Exercise
	Steps    int      // the number of tried steps: the start, wrong answers, solutions, the reset
	Half     bool     // some checks need containers that run
	Problems []string // empty: the exercise is correct
	Notes    []string // what the author should look at
	Took     time.Duration
}

// Verifier proves that the exercises of a pack are correct, on a cluster that has nothing else.
type Verifier struct {
	Cluster  exercises.Cluster
	Kubectl  Program
	Helm     Program
	RunsPods bool
	Nodes    int
	Patience time.Duration    // how long an answer may take to have the expected results, without checks that act; 0: a minute
	FailFast bool             // stop an exercise at its first problem
	Send     exercises.Sender // of the requests of checks that act
}

// Verify proves exercises, several at a time: no check passes in the beginning, each wrong answer
// fails its check and gets its hint, each solution passes, and a reset restores the beginning. done is
// called with each proof, one at a time, and not with those that the end of ctx interrupts. Exercises
// that need more than the cluster has are skipped. The error is that of ctx.
func (v Verifier) Verify(ctx context.Context, list []*exercises.Exercise, done func(Proof)) error {
	jobs := simulatedJobs
	if v.RunsPods {
		jobs = verifyJobs
	}
	slots := make(chan struct{}, jobs)
	var mu, drains sync.Mutex
	var all sync.WaitGroup
	for _, e := range list {
		if e.Needs.Nodes > v.Nodes || e.Needs.Pods && !v.RunsPods {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if e.Drains() { // two at a time could leave no node for the pods
				drains.Lock()
				defer drains.Unlock()
			}
			began := time.Now()
			t := &trial{Verifier: v, e: e}
			t.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() != nil {
				return // its problems would be those of the interruption
			}
			done(Proof{e, t.steps, t.half, t.problems, t.notes, time.Since(began)})
		})
	}
	all.Wait()
	return ctx.Err()
}

// trial verifies one exercise.
type trial struct {
	Verifier
	e        *exercises.Exercise
	dir      string // with the files of the exercise
	steps    int
	half     bool
	problems []string
	notes    []string
}

func (t *trial) problem(step, format string, args ...any) {
	t.problems = append(t.problems, step+": "+fmt.Sprintf(format, args...))
}

// run proves the exercise in a temporary directory with its files.
func (t *trial) run(ctx context.Context) {
	dir, err := os.MkdirTemp("", "lab-verify-")
	if err != nil {
		t.problem("files", "%v", err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if len(t.e.Files) > 0 {
		if _, err := WriteFiles(t.e, dir); err != nil {
			t.problem("files", "%v", err)
			return
		}
	}
	t.dir = dir
	t.prove(ctx)
}

// prove tries the beginning, the wrong answers, the solutions and a reset, in this order.
func (t *trial) prove(ctx context.Context) {
	defer t.end(ctx)
	if !t.begin(ctx, "start") {
		return
	}
	for _, s := range t.e.Shown {
		if err := t.try(ctx, s); err != nil {
			t.problem("task", "%s: %v", s.Line, err)
		}
	}
	for _, w := range t.e.Wrong {
		if t.stopped() {
			return
		}
		t.wrong(ctx, w)
	}
	solution := exercises.Trial{Name: "solution", Steps: t.e.Solution}
	for i, a := range append([]exercises.Trial{solution}, t.e.Also...) {
		if t.stopped() {
			return
		}
		if i > 0 {
			a.Name = "also " + a.Name
		}
		t.solve(ctx, a)
	}
	if !t.stopped() {
		t.begin(ctx, "reset")
	}
}

// stopped reports whether FailFast ends the trial.
func (t *trial) stopped() bool { return t.FailFast && len(t.problems) > 0 }

// end deletes the namespaces of the exercise, even after an interrupt.
func (t *trial) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resetTime)
	defer cancel()
	if err := t.e.End(ctx, t.Cluster); err != nil {
		t.problem("end", "%v", err)
	}
}

// begin begins the exercise, again if it was begun before, and checks its results.
func (t *trial) begin(ctx context.Context, step string) bool {
	t.steps++
	if !t.again(ctx, step) {
		return false
	}
	want := func(results exercises.Results) []string {
		var wrong []string
		for i, c := range t.e.Checks {
			switch r := results[i]; {
			case r.State == exercises.Broken:
				wrong = append(wrong, fmt.Sprintf("check %s is broken: %v", r.ID, r.Err))
			case c.Keep && r.State == exercises.Failed:
				wrong = append(wrong, fmt.Sprintf("check %s fails in the beginning, and it is keep", r.ID))
			case !c.Keep && r.State == exercises.Passed:
				wrong = append(wrong, fmt.Sprintf("check %s passes in the beginning", r.ID))
			}
		}
		return wrong
	}
	return t.expect(ctx, step, want)
}

// again begins the exercise in new namespaces.
func (t *trial) again(ctx context.Context, step string) bool {
	ctx, cancel := context.WithTimeout(ctx, resetTime)
	defer cancel()
	if err := t.e.End(ctx, t.Cluster); err != nil {
		t.problem(step, "%v", err)
		return false
	}
	if err := t.e.Begin(ctx, t.Cluster); err != nil {
		t.problem(step, "%v", err)
		return false
	}
	return true
}

// wrong checks that a wrong answer fails its check and gets its hint.
//
// A note says if the check is not the first that fails: students get the hint of that one only.
func (t *trial) wrong(ctx context.Context, w exercises.Trial) {
	if w.Pods && !t.RunsPods {
		return
	}
	t.steps++
	step, hidden := "wrong "+w.Name, ""
	if !t.answer(ctx, step, w) {
		return
	}
	t.expect(ctx, step, func(results exercises.Results) []string {
		r := results.Get(w.Check)
		hidden = ""
		switch {
		case r.State == exercises.Broken:
			return []string{fmt.Sprintf("check %s is broken: %v", r.ID, r.Err)}
		case r.State == exercises.Skipped:
			return nil // needs containers that run
		case r.State != exercises.Failed:
			return []string{fmt.Sprintf("check %s is %s; it must fail", r.ID, r.State)}
		case r.Hint != w.Hint:
			return []string{fmt.Sprintf("check %s gets hint %s; it must get %s", r.ID, r.Hint, w.Hint)}
		}
		if first, _ := results.First(); first.ID != r.ID {
			hidden = fmt.Sprintf("%s: check %s fails as well, and students get its hint, not that of %s", step, first.ID, r.ID)
		}
		return nil
	})
	if hidden != "" {
		t.notes = append(t.notes, hidden)
	}
}

// acts reports whether only checks that act remain.
func (t *trial) acts(results exercises.Results) bool {
	first, failed := results.First()
	return failed && first.State == exercises.Pending
}

// solve checks that a solution passes.
func (t *trial) solve(ctx context.Context, a exercises.Trial) {
	if a.Pods && !t.RunsPods {
		return
	}
	t.steps++
	if !t.answer(ctx, a.Name, a) {
		return
	}
	t.expect(ctx, a.Name, func(results exercises.Results) []string {
		if results.Passed() || results.Half() {
			t.half = t.half || results.Half()
			return nil
		}
		var wrong []string
		for _, r := range results {
			if r.State != exercises.Passed && r.State != exercises.Skipped {
				text := fmt.Sprintf("check %s is %s; it must pass", r.ID, r.State)
				if r.Found != "" {
					text += "; found: " + r.Found
				}
				if r.Err != nil {
					text += ": " + r.Err.Error()
				}
				wrong = append(wrong, text)
			}
		}
		return wrong
	})
}

// answer begins the exercise again and gives an answer.
func (t *trial) answer(ctx context.Context, step string, a exercises.Trial) bool {
	if !t.again(ctx, step) {
		return false
	}
	for _, s := range a.Steps {
		if err := t.try(ctx, s); err != nil {
			t.problem(step, "%s: %v", s.Line, err)
			return false
		}
	}
	return true
}

// try runs one step in the default namespace of the exercise, and in a directory with its files. It skips commands that
// need running containers if the cluster simulates them.
func (t *trial) try(ctx context.Context, s exercises.Step) error {
	if s.NeedsPods() && !t.RunsPods {
		return nil
	}
	namespace := []string{"--namespace", t.e.Namespaces[0]}
	switch {
	case s.Kubectl != nil:
		return t.Kubectl(ctx, t.dir, slices.Concat(namespace, s.Kubectl), nil)
	case s.Helm != nil:
		return t.Helm(ctx, t.dir, slices.Concat(namespace, s.Helm), nil)
	}
	var manifest bytes.Buffer
	for _, o := range s.Objects {
		if err := json.NewEncoder(&manifest).Encode(o); err != nil {
			return err
		}
	}
	return t.Kubectl(ctx, t.dir, append(namespace, "apply", "--filename", "-"), manifest.Bytes())
}

// actRuns is how often the checks that act may run for an answer, so that they run again if their first run was too early.
const actRuns = 2

// patience limits how long an answer may take to have the expected results.
type patience struct {
	ends time.Time
	acts int // how often checks that act have run
}

// spent records the time of checks that acted. It does not count as waiting, except for runs after the first ones.
func (p *patience) spent(took time.Duration) {
	if p.acts++; p.acts <= actRuns {
		p.ends = p.ends.Add(took)
	}
}

// expect evaluates the checks until problemsIn returns nothing, and reports what it returns in the end.
func (t *trial) expect(ctx context.Context, step string, problemsIn func(exercises.Results) []string) bool {
	limit := patience{ends: time.Now().Add(cmp.Or(t.Patience, verifyTime))}
	right := time.Time{} // since when the results are as expected
	for {
		results, settling, err := t.results(ctx, &limit)
		var problems []string
		if err != nil {
			problems = []string{err.Error()}
		} else {
			problems = problemsIn(results)
		}
		switch {
		case problems != nil:
			right = time.Time{}
		case right.IsZero():
			right = time.Now()
		}
		if problems == nil && (!settling || time.Since(right) > settleTime) {
			return true
		}
		if ctx.Err() != nil || time.Now().After(limit.ends) {
			for _, p := range problems {
				t.problem(step, "%s", p)
			}
			return problems == nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(checkInterval):
		}
	}
}

// results evaluates all checks. Checks that act run only if the others pass.
func (t *trial) results(ctx context.Context, limit *patience) (exercises.Results, bool, error) {
	state, err := t.e.Observe(ctx, t.Cluster, t.RunsPods)
	if err != nil {
		return nil, false, err
	}
	results := t.e.Evaluate(ctx, state, t.RunsPods)
	if t.acts(results) {
		actor := exercises.Actor{Cluster: t.Cluster, RunsPods: t.RunsPods, Send: t.Send, Journal: func(*exercises.Undo) error { return nil }}
		began := time.Now()
		err = t.e.Act(ctx, actor, results)
		limit.spent(time.Since(began))
	}
	return results, exercises.Settling(state), err
}
