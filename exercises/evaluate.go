package exercises

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// State is what the probes of an exercise observed, by their names.
type State map[string]any

// Verdict is the result of a check.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Failed  Verdict = "failed"
	Pending Verdict = "pending" // it acts, which waits for the other checks
	Skipped Verdict = "skipped" // it needs containers that run
	Broken  Verdict = "broken"  // a mistake in the pack
)

// Result is the result of one check.
type Result struct {
	ID    string
	State Verdict
	Found string // what was found instead
	Hint  string // the ID of the hint that fits
	Err   error  // of a broken check
}

// Results are the results of the checks of an exercise, in order.
type Results []Result

// Passed reports whether all checks passed.
func (rs Results) Passed() bool { return rs.all(Passed) }

// Half reports whether all checks passed that can be checked on this cluster, and at least one
// cannot.
func (rs Results) Half() bool { return !rs.Passed() && rs.all(Passed, Skipped) }

// Get returns the result of a check.
func (rs Results) Get(id string) Result {
	for _, r := range rs {
		if r.ID == id {
			return r
		}
	}
	return Result{ID: id}
}

// First returns the first check that neither passed nor was skipped, or false.
func (rs Results) First() (Result, bool) {
	i := slices.IndexFunc(rs, func(r Result) bool { return r.State != Passed && r.State != Skipped })
	if i < 0 {
		return Result{}, false
	}
	return rs[i], true
}

func (rs Results) all(states ...Verdict) bool {
	return !slices.ContainsFunc(rs, func(r Result) bool { return !slices.Contains(states, r.State) })
}

// Observe reads what the probes of the exercise observe. runsPods says whether containers run on
// the cluster: if not, logs and answers are empty.
func (e *Exercise) Observe(ctx context.Context, c Cluster, runsPods bool) (State, error) {
	state := State{}
	for _, p := range e.Probes {
		value, err := e.observe(ctx, c, p, runsPods)
		if err != nil {
			return nil, fmt.Errorf("cannot read the objects of the exercise: %w", err)
		}
		state[p.Name.Value] = withoutNulls(value)
	}
	return state, nil
}

// withoutNulls removes the fields of an object that are null: for an expression they are absent.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			if child == nil {
				delete(v, key)
				continue
			}
			withoutNulls(child)
		}
	case []any:
		for _, child := range v {
			withoutNulls(child)
		}
	}
	return v
}

func (e *Exercise) observe(ctx context.Context, c Cluster, p Probe, runsPods bool) (any, error) {
	switch {
	case p.Get.Kind.Value != "":
		r, _ := ResourceOf(p.Get.Kind.Value)
		o, err := c.Get(ctx, r, e.namespace(r, p.Get.Namespace), p.Get.Name.Value)
		if errors.Is(err, fault.ErrNotFound) {
			return Object{}, nil
		}
		return o, err
	case p.List.Kind.Value != "":
		r, _ := ResourceOf(p.List.Kind.Value)
		objects, err := list(ctx, c, r, e.namespace(r, p.List.Namespace), p.List.Selector)
		all := []any{}
		for _, o := range objects {
			all = append(all, o)
		}
		return all, err
	case p.Logs.Selector != "":
		return e.logs(ctx, c, p.Logs, runsPods)
	}
	if !runsPods {
		return map[string]any{"status": int64(0), "body": "", "error": ""}, nil
	}
	answer := c.Ask(ctx, e.Namespaces[0], p.HTTP.Service, p.HTTP.Port, "/"+strings.TrimPrefix(p.HTTP.Path, "/"))
	return map[string]any{"status": int64(answer.Status), "body": answer.Body, "error": answer.Err}, nil
}

func (e *Exercise) namespace(r Resource, namespace Item) string {
	switch {
	case r.Clustered:
		return ""
	case namespace.Value != "":
		return namespace.Value
	}
	return e.Namespaces[0]
}

func (e *Exercise) logs(ctx context.Context, c Cluster, p Logs, runsPods bool) (string, error) {
	if !runsPods {
		return "", nil
	}
	pods, _ := ResourceOf("Pod")
	objects, err := list(ctx, c, pods, e.Namespaces[0], p.Selector)
	if err != nil {
		return "", err
	}
	lines := p.Lines
	if lines == 0 {
		lines = 50
	}
	var all strings.Builder
	for _, pod := range objects {
		if text, err := c.Log(ctx, e.Namespaces[0], NameOf(pod), lines); err == nil { // its containers may not have started
			all.WriteString(text)
		}
	}
	return all.String(), nil
}

// Evaluate evaluates the checks on a state. Checks that act are pending: see [Exercise.Act].
func (e *Exercise) Evaluate(ctx context.Context, state State, runsPods bool) Results {
	var all Results
	for i := range e.Checks {
		c := &e.Checks[i]
		switch {
		case !runsPods && e.needsPods(c):
			all = append(all, Result{ID: c.ID.Value, State: Skipped})
		case c.acts():
			all = append(all, Result{ID: c.ID.Value, State: Pending})
		default:
			all = append(all, c.evaluate(ctx, state))
		}
	}
	return all
}

// NeedsPods reports whether a check of the exercise needs containers that run. Where pods are simulated, such an exercise
// can only be half done.
func (e *Exercise) NeedsPods() bool {
	return slices.ContainsFunc(e.Checks, func(c Check) bool { return e.needsPods(&c) })
}

// needsPods reports whether a check reads what only containers that run can produce.
func (e *Exercise) needsPods(c *Check) bool {
	return c.Pods || c.Act.Traffic.Service.Value != "" || slices.ContainsFunc(e.Probes, func(p Probe) bool {
		return p.Logs.Selector+p.HTTP.Service != "" && slices.Contains(c.Pass.uses, p.Name.Value)
	})
}

func (c *Check) evaluate(ctx context.Context, state State) Result {
	ok, err := c.Pass.holds(ctx, state)
	if ok {
		return Result{ID: c.ID.Value, State: Passed}
	}
	return c.failed(ctx, state, err)
}

// failed returns the result of a check that does not pass. err is the error of its condition.
func (c *Check) failed(ctx context.Context, state State, err error) Result {
	result := Result{ID: c.ID.Value, State: Failed}
	if found, foundErr := c.Found.eval(ctx, state); found != nil {
		result.Found = fmt.Sprint(found)
	} else {
		err = errors.Join(err, foundErr)
	}
	for i := range c.Hints {
		h := &c.Hints[i]
		fits, hintErr := h.If.holds(ctx, state)
		err = errors.Join(err, hintErr)
		if fits || h.If.Value == "" {
			result.Hint = h.ID.Value
			break
		}
	}
	if err != nil {
		result.State, result.Err = Broken, err
	}
	return result
}

// Settling reports whether the observed objects still change: waiting may let a check pass.
func Settling(state State) bool {
	for _, v := range state {
		switch v := v.(type) {
		case map[string]any:
			if settling(v) {
				return true
			}
		case []any:
			if slices.ContainsFunc(v, func(o any) bool { return settling(asObject(o)) }) {
				return true
			}
		}
	}
	return false
}

func settling(o Object) bool {
	switch kind := text(o, "kind"); {
	case len(o) == 0:
		return false
	case text(o, "metadata", "deletionTimestamp") != "":
		return true
	case kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet":
		return !rolledOut(o)
	case kind == "Pod":
		return text(o, "status", "phase") == "Pending"
	case kind == "Job":
		return number(o, "status", "active") > 0
	case kind == "PersistentVolumeClaim":
		return text(o, "status", "phase") == "Pending"
	}
	return false
}
