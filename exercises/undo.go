package exercises

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Undo is what a check that acts changed, so that it can be restored even by another process.
type Undo struct {
	Kind      string `json:"kind,omitempty"`   // "": no object was changed
	Namespace string `json:"namespace"`        // of the exercise
	Object    Object `json:"object,omitempty"` // before the change

	// What was done with the object. If nothing is set, it was scaled.
	Deleted bool   `json:"deleted,omitempty"`
	Drained bool   `json:"drained,omitempty"`
	Image   string `json:"image,omitempty"` // that its first container got

	Traffic bool `json:"traffic,omitempty"` // a load generator was started
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

// of returns the change of a workload, or nil if it does not exist.
func (u *Undo) of(ctx context.Context, c Cluster, kind, name string) (*Undo, error) {
	r, _ := ResourceOf(kind)
	o, err := c.Get(ctx, r, u.Namespace, name)
	if errors.Is(err, fault.ErrNotFound) {
		return nil, nil
	}
	u.Kind, u.Object = kind, o
	return u, err
}

// deleting returns the deletion of the first object, or nil without an object.
func (u *Undo) deleting(ctx context.Context, c Cluster, t Target) (*Undo, error) {
	r, _ := ResourceOf(t.Kind.Value)
	objects, err := list(ctx, c, r, u.Namespace, t.Selector)
	for _, o := range objects {
		if text(o, "metadata", "deletionTimestamp") == "" {
			u.Kind, u.Object, u.Deleted = r.Kind, o, true
			return u, nil
		}
	}
	return nil, err
}

// draining returns the drain of the node of the first pod, or nil if no pod runs. It returns
// ErrUnsupported if the cluster has no other node that takes the pods.
func (u *Undo) draining(ctx context.Context, c Cluster, selector string) (*Undo, error) {
	pods, _ := ResourceOf("Pod")
	running, err := list(ctx, c, pods, u.Namespace, selector)
	if err != nil {
		return nil, err
	}
	node := ""
	for _, pod := range running {
		if node == "" && text(pod, "metadata", "deletionTimestamp") == "" {
			node = text(pod, "spec", "nodeName")
		}
	}
	if node == "" {
		return nil, nil
	}
	nodes, _ := ResourceOf("Node")
	all, err := c.List(ctx, nodes, "", "")
	if err != nil {
		return nil, err
	}
	others := 0
	for _, o := range all {
		switch {
		case NameOf(o) == node:
			u.Kind, u.Object, u.Drained = nodes.Kind, o, true
		case schedulable(o):
			others++
		}
	}
	if others == 0 {
		err := fault.Errorf(fault.ErrUnsupported, "node %s cannot be drained: no other node of the cluster takes its pods", node)
		return nil, fault.WithHint(err, "let pods run on another node: kubectl uncordon NODE; or create a cluster with more nodes: lab up NAME --workers 2")
	}
	if u.Object == nil { // the node was deleted in between
		return nil, nil
	}
	return u, nil
}

// schedulable reports whether a node takes new pods.
func schedulable(node Object) bool {
	if cordoned, _ := field(node, "spec", "unschedulable").(bool); cordoned {
		return false
	}
	taints, _ := field(node, "spec", "taints").([]any)
	for _, t := range taints {
		if effect := text(asObject(t), "effect"); effect == "NoSchedule" || effect == "NoExecute" {
			return false
		}
	}
	return true
}

// change does what can be undone.
func (u *Undo) change(ctx context.Context, c Cluster, a Act) error {
	r, _ := ResourceOf(u.Kind)
	switch {
	case u.Kind == "":
		return nil
	case u.Deleted:
		return c.Delete(ctx, r, u.Namespace, u.Object)
	case u.Drained:
		return u.edit(ctx, c, cordon(true))
	case u.Image != "":
		return u.edit(ctx, c, func(o Object) bool { return setImage(o, u.Image) })
	}
	return u.edit(ctx, c, scale(int64(a.Scale.Replicas)))
}

// Restore undoes a change. It leaves what is no longer as the act left it: an object that was created
// again, another image, and a deleted object that a controller replaces. Restore may be called twice.
func (u *Undo) Restore(ctx context.Context, c Cluster) error {
	if u.Traffic {
		if err := stopGenerators(ctx, c, u.Namespace); err != nil {
			return err
		}
	}
	if _, ok := ResourceOf(u.Kind); !ok && u.Kind != "" {
		return fault.Errorf(fault.ErrInvalid, "cannot restore a %s", u.Kind)
	}
	var err error
	switch wasCordoned, _ := field(u.Object, "spec", "unschedulable").(bool); {
	case u.Kind == "":
		return nil
	case u.Deleted:
		return u.recreate(ctx, c)
	case u.Drained:
		err = u.edit(ctx, c, cordon(wasCordoned))
	case u.Image != "":
		err = u.edit(ctx, c, func(o Object) bool { return imageOf(o) == u.Image && setImage(o, imageOf(u.Object)) })
	default:
		err = u.edit(ctx, c, scale(number(u.Object, "spec", "replicas")))
	}
	if errors.Is(err, fault.ErrNotFound) {
		return nil // the student deleted it
	}
	return err
}

// edit changes the object, again if another program changes it at the same time. It leaves another
// object of the same name alone. change returns false if nothing must change.
func (u *Undo) edit(ctx context.Context, c Cluster, change func(Object) bool) error {
	r, _ := ResourceOf(u.Kind)
	namespace := u.Namespace
	if r.Clustered {
		namespace = ""
	}
	var last error
	for range 10 {
		o, err := c.Get(ctx, r, namespace, NameOf(u.Object))
		if err != nil {
			return err
		}
		if text(o, "metadata", "uid") != text(u.Object, "metadata", "uid") || !change(o) {
			return nil
		}
		if last = c.Update(ctx, r, namespace, o); last == nil || errors.Is(last, fault.ErrNotFound) {
			return last
		}
	}
	return fmt.Errorf("cannot change %s %s: %w", u.Kind, NameOf(u.Object), last)
}

func scale(replicas int64) func(Object) bool {
	return func(o Object) bool { return set(asObject(o["spec"]), "replicas", replicas) }
}

func cordon(yes bool) func(Object) bool {
	return func(o Object) bool {
		spec := asObject(o["spec"])
		if now, _ := spec["unschedulable"].(bool); now == yes {
			return false
		}
		return set(spec, "unschedulable", yes)
	}
}

// set sets a key, and reports whether there is a map that can have it.
func set(o Object, key string, value any) bool {
	if o != nil {
		o[key] = value
	}
	return o != nil
}

// imageOf returns the image of the first container of a workload.
func imageOf(o Object) string { return text(firstContainer(o), "image") }

func setImage(o Object, image string) bool { return set(firstContainer(o), "image", image) }

func firstContainer(o Object) Object {
	containers, _ := field(o, "spec", "template", "spec", "containers").([]any)
	if len(containers) == 0 {
		return nil
	}
	return asObject(containers[0])
}

// recreate creates a deleted object again, unless a controller replaces it.
func (u *Undo) recreate(ctx context.Context, c Cluster) error {
	if owners, _ := field(u.Object, "metadata", "ownerReferences").([]any); len(owners) > 0 {
		return nil
	}
	r, _ := ResourceOf(u.Kind)
	o := renew(u.Object)
	for {
		err := c.Create(ctx, r, u.Namespace, o)
		if !errors.Is(err, fault.ErrExists) {
			return err
		}
		now, err := c.Get(ctx, r, u.Namespace, NameOf(o))
		switch {
		case errors.Is(err, fault.ErrNotFound): // gone in between
		case err != nil:
			return err
		case text(now, "metadata", "deletionTimestamp") == "":
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%s %s is still being deleted: %w", u.Kind, NameOf(o), err)
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
