package exercises

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	interval = 250 * time.Millisecond
	undoTime = 30 * time.Second
)

// Undo is what a check that acts changed, so that it can be restored even by another process.
type Undo struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Object    Object `json:"object"`            // before the change
	Deleted   bool   `json:"deleted,omitempty"` // it was deleted, else scaled
}

// UnmarshalJSON reads whole numbers as int64, as [Object] has them.
func (u *Undo) UnmarshalJSON(data []byte) error {
	type plain Undo
	numbers := json.NewDecoder(bytes.NewReader(data))
	numbers.UseNumber()
	if err := numbers.Decode((*plain)(u)); err != nil {
		return err
	}
	u.Object = asObject(native(u.Object))
	return nil
}

// native replaces the numbers of a tree from JSON by int64 and float64.
func native(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = native(child)
		}
	case []any:
		for i, child := range v {
			v[i] = native(child)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // JSON numbers that are too large become infinite
		return f
	}
	return v
}

// Act runs the pending checks of results: it changes the cluster, waits until the check passes or
// its time is over, and restores what it changed, even if ctx has ended. journal stores what the
// check is about to change, and nil once it is restored. The error is that of the cluster, or of a
// restoration that failed; results have the verdicts.
func (e *Exercise) Act(ctx context.Context, c Cluster, runsPods bool, results Results, journal func(*Undo) error) error {
	for i := range results {
		if results[i].State != Pending {
			continue
		}
		result, err := e.act(ctx, c, runsPods, &e.Checks[i], journal)
		if err != nil {
			return fmt.Errorf("check %s: %w", results[i].ID, err)
		}
		results[i] = result
	}
	return nil
}

func (e *Exercise) act(ctx context.Context, c Cluster, runsPods bool, check *Check, journal func(*Undo) error) (result Result, err error) {
	before, err := e.Observe(ctx, c, runsPods)
	if err != nil {
		return result, err
	}
	undo, err := e.target(ctx, c, check.Act)
	if err != nil {
		return result, err
	}
	if undo == nil { // nothing to act on: the check decides on the state as it is
		return check.evaluate(ctx, before.with(before)), nil
	}
	if err := journal(undo); err != nil {
		return result, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		if restoreErr := undo.Restore(ctx, c); restoreErr != nil {
			err = errors.Join(err, restoreErr)
			return // the journal keeps it for the next command
		}
		err = errors.Join(err, journal(nil))
	}()
	if err := undo.change(ctx, c, check.Act); err != nil {
		return result, err
	}
	return e.await(ctx, c, runsPods, check, before)
}

// with returns the state with the observations before an act.
func (s State) with(earlier State) State {
	all := State{before: map[string]any(earlier)}
	for name, value := range s {
		all[name] = value
	}
	return all
}

// target returns the object that an act changes, or nil if there is none.
func (e *Exercise) target(ctx context.Context, c Cluster, a Act) (*Undo, error) {
	if kind := a.Delete.Kind.Value; kind != "" {
		r, _ := ResourceOf(kind)
		objects, err := c.List(ctx, r, e.Namespaces[0], a.Delete.Selector)
		for _, o := range objects {
			if text(o, "metadata", "deletionTimestamp") == "" {
				return &Undo{Kind: kind, Namespace: e.Namespaces[0], Object: o, Deleted: true}, nil
			}
		}
		return nil, err
	}
	r, _ := ResourceOf(a.Scale.Kind.Value)
	o, err := c.Get(ctx, r, e.Namespaces[0], a.Scale.Name)
	if errors.Is(err, fault.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Undo{Kind: r.Kind, Namespace: e.Namespaces[0], Object: o}, nil
}

func (u *Undo) change(ctx context.Context, c Cluster, a Act) error {
	r, _ := ResourceOf(u.Kind)
	if u.Deleted {
		return c.Delete(ctx, r, u.Namespace, u.Object)
	}
	return scale(ctx, c, r, u.Namespace, NameOf(u.Object), int64(a.Scale.Replicas))
}

// scale sets the number of replicas, again if another program changes the object at the same time.
func scale(ctx context.Context, c Cluster, r Resource, namespace, name string, replicas int64) error {
	var last error
	for range 5 {
		o, err := c.Get(ctx, r, namespace, name)
		if err != nil {
			return err
		}
		spec, ok := o["spec"].(map[string]any)
		if !ok {
			return fmt.Errorf("%s %s has no spec", r.Kind, name)
		}
		spec["replicas"] = replicas
		if last = c.Update(ctx, r, namespace, o); last == nil {
			return nil
		}
	}
	return last
}

// Restore undoes a change. An object that a controller replaces is not created again. Restore may be
// called twice.
func (u *Undo) Restore(ctx context.Context, c Cluster) error {
	r, ok := ResourceOf(u.Kind)
	if !ok {
		return fault.Errorf(fault.ErrInvalid, "cannot restore a %s", u.Kind)
	}
	name := NameOf(u.Object)
	if !u.Deleted {
		err := scale(ctx, c, r, u.Namespace, name, number(u.Object, "spec", "replicas"))
		if errors.Is(err, fault.ErrNotFound) {
			return nil // the student deleted it
		}
		return err
	}
	if owners, _ := field(u.Object, "metadata", "ownerReferences").([]any); len(owners) > 0 {
		return nil
	}
	o := renew(u.Object)
	for {
		err := c.Create(ctx, r, u.Namespace, o)
		if !errors.Is(err, fault.ErrExists) {
			return err
		}
		now, err := c.Get(ctx, r, u.Namespace, name)
		switch {
		case errors.Is(err, fault.ErrNotFound): // gone in between
		case err != nil:
			return err
		case text(now, "metadata", "deletionTimestamp") == "":
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%s %s is still being deleted: %w", u.Kind, name, err)
		}
	}
}

// renew returns an object as it can be created again: without what the API server sets.
func renew(old Object) Object {
	o := Object{}
	for key, value := range old {
		if key != "status" {
			o[key] = value
		}
	}
	metadata := Object{}
	for key, value := range asObject(old["metadata"]) {
		switch key {
		case "name", "namespace", "labels", "annotations", "finalizers":
			metadata[key] = value
		}
	}
	o["metadata"] = metadata
	if spec := asObject(old["spec"]); text(old, "kind") == "Pod" {
		fresh := Object{}
		for key, value := range spec {
			if key != "nodeName" { // the scheduler chooses again
				fresh[key] = value
			}
		}
		o["spec"] = fresh
	}
	return o
}

// await waits until a check passes after its act, or its time is over.
func (e *Exercise) await(ctx context.Context, c Cluster, runsPods bool, check *Check, earlier State) (Result, error) {
	within, cancel := context.WithTimeout(ctx, check.Act.Within.Duration())
	defer cancel()
	for {
		state, err := e.Observe(ctx, c, runsPods)
		if err != nil {
			return Result{}, err
		}
		result := check.evaluate(ctx, state.with(earlier))
		if result.State != Failed || pause(within) != nil {
			return result, ctx.Err()
		}
	}
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
