package exercises

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	interval = 250 * time.Millisecond
	undoTime = 30 * time.Second
)

// Actor runs checks that change the cluster.
type Actor struct {
	Cluster  Cluster
	RunsPods bool
	Send     Sender            // is called only if containers run
	Journal  func(*Undo) error // stores what is about to change, and nil once it is restored
}

// Act runs the pending checks of results: it changes the cluster, waits until the check passes or
// its time is over, and restores what it changed, even if ctx has ended. The error is that of the
// cluster, or of a restoration that failed; results have the verdicts. It is ErrUnsupported, before
// anything changed, if the cluster cannot have the change.
func (e *Exercise) Act(ctx context.Context, a Actor, results Results) error {
	acted := false
	for i := range results {
		if results[i].State != Pending {
			continue
		}
		if acted { // what the check before restored may still be rolled out
			if err := e.settle(ctx, a, e.Checks[i].Act.Within.Or(defaultWithin)); err != nil {
				return err
			}
		}
		acted = true
		result, err := (&act{Actor: a, e: e, check: &e.Checks[i]}).run(ctx)
		if err != nil {
			return fmt.Errorf("check %s: %w", results[i].ID, err)
		}
		results[i] = result
	}
	return nil
}

// Announce says what the pending checks of results do, for the person whose cluster it is.
func (e *Exercise) Announce(results Results) string {
	var all []string
	for i := range results {
		if results[i].State == Pending {
			all = append(all, e.Checks[i].Act.String())
		}
	}
	return strings.Join(all, "; ")
}

// String says what an act does.
func (a Act) String() string {
	var all []string
	switch {
	case a.Delete.Kind.Value != "":
		all = append(all, "delete a "+a.Delete.Kind.Value)
	case a.Scale.Kind.Value != "":
		all = append(all, fmt.Sprintf("scale %s %s to %d", a.Scale.Kind.Value, a.Scale.Name, a.Scale.Replicas))
	case a.SetImage.Kind.Value != "":
		all = append(all, fmt.Sprintf("set the image of %s %s to %s", a.SetImage.Kind.Value, a.SetImage.Name.Value, a.SetImage.Image.Value))
	case a.Drain.Selector.Value != "":
		all = append(all, "drain a node")
	}
	if service := a.Traffic.Service.Value; service != "" {
		all = append(all, "send requests to Service "+service)
	}
	return strings.Join(all, " and ")
}

// Drains reports whether a check of the exercise drains a node, which affects other exercises on the cluster.
func (e *Exercise) Drains() bool {
	return slices.ContainsFunc(e.Checks, func(c Check) bool { return c.Act.Drain.Selector.Value != "" })
}

// settle waits until objects no longer change, at most for a time: some never settle.
func (e *Exercise) settle(ctx context.Context, a Actor, within time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		state, err := e.Observe(ctx, a.Cluster, a.RunsPods)
		if err != nil || !Settling(state) {
			return err
		}
		if pause(limited) != nil {
			return ctx.Err()
		}
	}
}

// act is one check that changes the cluster.
type act struct {
	Actor
	e       *Exercise
	check   *Check
	earlier State // the observations before the change
	undo    *Undo
}

func (a *act) run(ctx context.Context) (result Result, err error) {
	if a.earlier, err = a.e.Observe(ctx, a.Cluster, a.RunsPods); err != nil {
		return result, err
	}
	if a.undo, err = a.target(ctx); err != nil {
		return result, err
	}
	if a.undo == nil {
		return a.fail(ctx, a.state(a.earlier, Sent{})), nil
	}
	if err := a.Journal(a.undo); err != nil {
		return result, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		if restoreErr := a.undo.Restore(ctx, a.Cluster); restoreErr != nil {
			err = errors.Join(err, restoreErr)
			return // the journal keeps it for the next command
		}
		err = errors.Join(err, a.Journal(nil))
	}()
	if a.check.Act.Traffic == (Traffic{}) {
		return a.change(ctx)
	}
	return a.underTraffic(ctx)
}

// change changes the cluster, and waits until the change has ended and the check passes.
func (a *act) change(ctx context.Context) (Result, error) {
	if err := a.undo.change(ctx, a.Cluster, a.check.Act); err != nil {
		return Result{}, err
	}
	within, cancel := context.WithTimeout(ctx, a.check.Act.Within.Or(defaultWithin))
	defer cancel()
	for {
		ended, err := a.ended(ctx)
		if err != nil {
			return Result{}, err
		}
		state, err := a.e.Observe(ctx, a.Cluster, a.RunsPods)
		if err != nil {
			return Result{}, err
		}
		state = a.state(state, Sent{})
		result := a.check.evaluate(ctx, state)
		if ended && result.State != Failed || result.State == Broken {
			return result, ctx.Err()
		}
		if pause(within) != nil {
			return a.fail(ctx, state), ctx.Err()
		}
	}
}

// fail returns the result of a check that does not pass, whatever its condition says: there was
// nothing to change, or the change did not end.
func (a *act) fail(ctx context.Context, state State) Result {
	result := a.check.evaluate(ctx, state)
	if result.State == Passed {
		return a.check.failed(ctx, state, nil)
	}
	return result
}

// state returns observations with the variables that only checks that act have.
func (a *act) state(now State, sent Sent) State {
	all := State{before: map[string]any(a.earlier), traffic: sent.value()}
	for name, value := range now {
		all[name] = value
	}
	return all
}

// target returns what an act changes, or nil if there is nothing to change.
func (a *act) target(ctx context.Context) (*Undo, error) {
	namespace, c := a.e.Namespaces[0], a.check.Act
	undo := &Undo{Namespace: namespace, Traffic: c.Traffic.Service.Value != ""}
	switch {
	case c.Delete.Kind.Value != "":
		return undo.deleting(ctx, a.Cluster, c.Delete)
	case c.Drain.Selector.Value != "":
		return undo.draining(ctx, a.Cluster, c.Drain.Selector.Value)
	case c.Scale.Kind.Value != "":
		return undo.of(ctx, a.Cluster, c.Scale.Kind.Value, c.Scale.Name)
	case c.SetImage.Kind.Value != "":
		undo.Image = c.SetImage.Image.Value
		return undo.of(ctx, a.Cluster, c.SetImage.Kind.Value, c.SetImage.Name.Value)
	}
	return undo, nil // only traffic
}

// ended reports whether a change has ended. That of a drained node is continued.
func (a *act) ended(ctx context.Context) (bool, error) {
	switch {
	case a.undo.Drained:
		return evict(ctx, a.Cluster, a.undo.Namespace, NameOf(a.undo.Object))
	case a.undo.Image != "":
		r, _ := ResourceOf(a.undo.Kind)
		o, err := a.Cluster.Get(ctx, r, a.undo.Namespace, NameOf(a.undo.Object))
		if errors.Is(err, fault.ErrNotFound) { // the student deleted it
			return false, nil
		}
		return rolledOut(o), err
	}
	return true, nil
}

// evict evicts the pods of a namespace from a node, as far as PodDisruptionBudgets allow, and reports
// whether none is left. Like kubectl drain, it leaves pods that no controller replaces, and those of
// DaemonSets.
func evict(ctx context.Context, c Cluster, namespace, node string) (bool, error) {
	pods, err := podsOn(ctx, c, namespace, node)
	if err != nil {
		return false, err
	}
	for _, pod := range pods {
		if text(pod, "metadata", "deletionTimestamp") != "" {
			continue
		}
		if _, err := c.Evict(ctx, namespace, pod); err != nil {
			return false, fmt.Errorf("cannot evict the pod %s: %w", NameOf(pod), err)
		}
	}
	return len(pods) == 0, nil
}

// podsOn returns the pods of a namespace that a drain of a node moves: not those of DaemonSets, those that no controller
// replaces, and those that ended.
func podsOn(ctx context.Context, c Cluster, namespace, node string) ([]Object, error) {
	r, _ := ResourceOf("Pod")
	all, err := list(ctx, c, r, namespace, "")
	var pods []Object
	for _, pod := range all {
		phase := text(pod, "status", "phase")
		if text(pod, "spec", "nodeName") == node && !slices.Contains([]string{"", "DaemonSet"}, owner(pod)) && phase != "Succeeded" && phase != "Failed" {
			pods = append(pods, pod)
		}
	}
	return pods, err
}

// owner returns the kind of the controller of an object, or "".
func owner(o Object) string {
	owners, _ := field(o, "metadata", "ownerReferences").([]any)
	for _, each := range owners {
		if text(asObject(each), "kind") != "" {
			return text(asObject(each), "kind")
		}
	}
	return ""
}

// pause waits for a moment. It returns an error if ctx ends.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(interval):
		return nil
	}
}
