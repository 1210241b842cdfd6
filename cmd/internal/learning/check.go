package learning

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const checkInterval = 250 * time.Millisecond

// Report is the result of checking an exercise.
type Report struct {
	Choice
	Results exercises.Results
	Holding bool     // everything passes, but not yet for long enough: see [Learning.Watch]
	Context string   // the context of the cluster in the kubeconfig
	Kind    string   // of an object that the exercise looks for and that is in another namespace
	Object  string   // its name
	Found   []string // the namespaces that it is in
}

// Check checks an exercise. While objects change, it waits for them, at most for the given time.
// Checks that act run after all others passed. Check records the result.
func (l *Learning) Check(ctx context.Context, c Choice, wait time.Duration, report event.Reporter) (Report, error) {
	p, err := l.ready(ctx, c)
	if err != nil {
		return Report{}, err
	}
	r, err := l.observe(ctx, c, p, wait)
	if err != nil {
		return r, err
	}
	if first, failed := r.Results.First(); failed && first.State == exercises.Pending {
		if err := l.act(ctx, c, p, r.Results, report); err != nil {
			return r, err
		}
	}
	return r, l.progress().append(l.result(c, r.Results))
}

// act runs the checks that change the cluster. It locks the name of the cluster, because two checks
// could otherwise overwrite what the other must restore.
func (l *Learning) act(ctx context.Context, c Choice, p place, results exercises.Results, report event.Reporter) error {
	unlock, err := l.Inventory.Lock(ctx, c.Cluster, report)
	if err != nil {
		return err
	}
	defer unlock()
	actor := exercises.Actor{Cluster: p, RunsPods: p.runsPods, Send: l.Sender(p.config, c.Cluster, report), Journal: l.journal(c.Cluster, p)}
	what := c.Exercise.Announce(results)
	return report.For(c.Cluster).Do(fmt.Sprintf("Changing the cluster to see what happens: %s; everything is restored", what), func(*event.Step) error {
		return l.interruption(ctx, c.Cluster, c.Exercise.Act(ctx, actor, results))
	})
}

// interruption replaces the error of a check that was interrupted by that of ctx, because failed requests tell a student
// nothing. If the cluster could not be restored, it returns err.
func (l *Learning) interruption(ctx context.Context, cluster string, err error) error {
	if ctx.Err() == nil || err == nil {
		return err
	}
	if _, left := os.Stat(l.undoPath(cluster)); left == nil {
		return err
	}
	return fmt.Errorf("%w; what the check changed is restored", ctx.Err())
}

// ready returns the cluster of an exercise that was started on it.
func (l *Learning) ready(ctx context.Context, c Choice) (place, error) {
	p, err := l.open(ctx, c)
	if err != nil {
		return p, err
	}
	if err := l.restore(ctx, c.Cluster, p); err != nil {
		return p, err
	}
	return p, l.begun(ctx, c, p)
}

// begun returns ErrNotFound if the exercise was not started on its cluster.
func (l *Learning) begun(ctx context.Context, c Choice, p place) error {
	begun, err := c.Exercise.Begun(ctx, p)
	if err == nil && !begun {
		err = fault.Errorf(fault.ErrNotFound, "a namespace of exercise %s does not exist in cluster %q", c.Exercise.Name, c.Cluster)
		err = fault.WithHint(err, "start the exercise: lab exercise start %s --name %s", c.Exercise.Name, c.Cluster)
	}
	return err
}

// observe evaluates the checks that do not act. It repeats that while objects change, at most for the given time.
func (l *Learning) observe(ctx context.Context, c Choice, p place, wait time.Duration) (Report, error) {
	r := Report{Choice: c, Context: p.context}
	deadline := time.Now().Add(wait)
	for {
		state, err := c.Exercise.Observe(ctx, p, p.runsPods)
		if err != nil {
			return r, cmp.Or(ctx.Err(), err)
		}
		r.Results = c.Exercise.Evaluate(ctx, state, p.runsPods)
		first, failed := r.Results.First()
		done := !failed || first.State != exercises.Failed || !exercises.Settling(state)
		if done || time.Now().After(deadline) {
			if failed {
				r.Kind, r.Object, r.Found = c.Exercise.Elsewhere(ctx, p, state)
			}
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(checkInterval):
		}
	}
}

// result returns the event of a check.
func (l *Learning) result(c Choice, results exercises.Results) record {
	switch {
	case results.Passed():
		return l.now(eventPassed, c)
	case results.Half():
		return l.now(eventHalf, c)
	}
	e := l.now(eventChecked, c)
	if first, failed := results.First(); failed {
		e.Check, e.Hint = first.ID, first.Hint
	}
	return e
}

// Hint is one step of a hint.
type Hint struct {
	Report
	Check string // "" if no check fails
	ID    string
	Step  int    // from 1
	State string // of the exercise
}

// Hint returns the next step of the hint for the first check that fails, and records that it was shown. steps returns the
// number of steps of a hint. After the last step, Hint returns the last step again.
func (l *Learning) Hint(ctx context.Context, c Choice, steps func(check, hint string) int) (Hint, error) {
	p, err := l.ready(ctx, c)
	if err != nil {
		return Hint{}, err
	}
	r, err := l.observe(ctx, c, p, 0)
	if err != nil {
		return Hint{}, err
	}
	h, err := l.progress().history()
	if err != nil {
		return Hint{}, err
	}
	s := h.of(c.Exercise.Pack, c.Exercise.Name)
	hint := Hint{Report: r, State: s.state}
	first, failed := r.Results.First()
	switch {
	case !failed:
		return hint, nil
	case first.State == exercises.Failed:
		hint.Check, hint.ID = first.ID, first.Hint
	case first.State == exercises.Pending && r.Results.Get(s.check).State == exercises.Pending && s.hint != "":
		hint.Check, hint.ID = s.check, s.hint // from the last time that it acted
	default:
		return hint, first.Err
	}
	hint.Step = min(s.seen[hint.Check+"/"+hint.ID]+1, steps(hint.Check, hint.ID))
	e := l.now(eventHint, c)
	e.Check, e.Hint = hint.Check, hint.ID
	return hint, l.progress().append(e)
}

// undoFile is the content of a file with the changes of a running check, from which lab restores the cluster if the check
// is interrupted.
type undoFile struct {
	Cluster string          `json:"cluster"`
	ID      string          `json:"id"` // of the cluster
	Undo    *exercises.Undo `json:"undo"`
}

// undoPath returns the path of the undo file of a cluster.
func (l *Learning) undoPath(cluster string) string {
	return filepath.Join(l.Dir, "undo-"+cluster+".json")
}

// journal returns the function that writes the undo file before a check changes the cluster, and removes it afterwards.
func (l *Learning) journal(cluster string, p place) func(*exercises.Undo) error {
	return func(u *exercises.Undo) error {
		if u == nil {
			return os.Remove(l.undoPath(cluster))
		}
		data, err := json.Marshal(undoFile{cluster, p.id, u})
		if err != nil {
			return err
		}
		if err := os.MkdirAll(l.Dir, 0o700); err != nil {
			return fault.Errorf(fault.ErrUnavailable, "cannot write lab's state: %w", err)
		}
		return atomicfile.Write(l.undoPath(cluster), data, 0o600)
	}
}

// restore undoes the changes of a check whose process was killed. It ignores an undo file that cannot be parsed or that
// is of an earlier cluster, and removes the file.
func (l *Learning) restore(ctx context.Context, cluster string, p place) error {
	data, err := os.ReadFile(l.undoPath(cluster))
	if errors.Is(err, fs.ErrNotExist) || l.Inventory.State.Busy(cluster) { // a running check restores the cluster itself
		return nil
	}
	if err != nil {
		return fault.Errorf(fault.ErrUnavailable, "cannot read lab's state: %w", err)
	}
	var f undoFile
	if json.Unmarshal(data, &f) == nil && f.Undo != nil && f.ID == p.id {
		if err := f.Undo.Restore(ctx, p); err != nil && !errors.Is(err, fault.ErrNotFound) {
			return fmt.Errorf("cannot restore what an interrupted check changed: %w", err)
		}
	}
	return os.Remove(l.undoPath(cluster))
}
