package exercises

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// labelExercise marks the namespaces that lab creates for an exercise, with PACK.EXERCISE.
	labelExercise = "clusterlab.dev/exercise"

	// accountTime is how long the API server may take to create the ServiceAccount that pods need.
	accountTime = time.Minute
)

// Begin creates the namespaces of the exercise and its objects. What exists stays as it is. It returns ErrForeign if a namespace of that name was not created for the
// exercise.
func (e *Exercise) Begin(ctx context.Context, c Cluster) error {
	if err := e.foreign(ctx, c); err != nil {
		return err
	}
	for _, name := range e.Namespaces {
		err := c.Create(ctx, namespaces(), "", Object{
			"apiVersion": "v1", "kind": "Namespace",
			"metadata": Object{"name": name, "labels": Object{labelExercise: e.mark()}},
		})
		if err != nil && !errors.Is(err, fault.ErrExists) {
			return fmt.Errorf("cannot create the namespace %s: %w", name, err)
		}
	}
	for _, name := range e.Namespaces {
		if err := awaitAccount(ctx, c, name); err != nil {
			return err
		}
	}
	return e.create(ctx, c)
}

func namespaces() Resource {
	r, _ := ResourceOf("Namespace")
	return r
}

// mark is the value of [labelExercise].
func (e *Exercise) mark() string { return e.Pack + "." + e.Name }

// foreign returns ErrForeign if a namespace exists that was not created for the exercise.
func (e *Exercise) foreign(ctx context.Context, c Cluster) error {
	for _, name := range e.Namespaces {
		o, err := c.Get(ctx, namespaces(), "", name)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if text(o, "metadata", "labels", labelExercise) != e.mark() {
			err := fault.Errorf(fault.ErrForeign, "the cluster has a namespace %q that was not created for exercise %s", name, e.Name)
			return fault.WithHint(err, "use another cluster: lab exercise start %s --name NAME; or delete the namespace and all its objects: kubectl delete namespace %s", e.Name, name)
		}
	}
	return nil
}

// awaitAccount waits for the default ServiceAccount of a namespace, without which no pod can be
// created.
func awaitAccount(ctx context.Context, c Cluster, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	r, _ := ResourceOf("ServiceAccount")
	for {
		_, err := c.Get(ctx, r, namespace, "default")
		if err == nil || !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("namespace %s has no ServiceAccount yet: %w", namespace, err)
		}
	}
}

// lastApplied is the annotation by which kubectl apply finds out what to change. With it, students can
// apply their own manifests over those of the exercise.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// create creates the objects of the exercise. Those that exist stay as they are.
func (e *Exercise) create(ctx context.Context, c Cluster) error {
	for _, o := range e.Start {
		r, _ := ResourceOf(text(o, "kind"))
		namespace := cmp.Or(text(o, "metadata", "namespace"), e.Namespaces[0])
		applied, err := json.Marshal(o)
		if err != nil {
			return err
		}
		metadata := maps.Clone(asObject(o["metadata"]))
		annotations := maps.Clone(asObject(metadata["annotations"]))
		if annotations == nil {
			annotations = Object{}
		}
		annotations[lastApplied] = string(applied)
		metadata["annotations"] = annotations
		o = maps.Clone(o)
		o["metadata"] = metadata
		if err := c.Create(ctx, r, namespace, o); err != nil && !errors.Is(err, fault.ErrExists) {
			return fmt.Errorf("cannot create %s %s: %w", r.Kind, NameOf(o), err)
		}
	}
	return nil
}

// Begun reports whether all namespaces of the exercise exist.
func (e *Exercise) Begun(ctx context.Context, c Cluster) (bool, error) {
	for _, name := range e.Namespaces {
		o, err := c.Get(ctx, namespaces(), "", name)
		if errors.Is(err, fault.ErrNotFound) || err == nil && text(o, "metadata", "deletionTimestamp") != "" {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, e.foreign(ctx, c)
}

// End deletes the namespaces of the exercise with all their objects, and waits until they are gone.
// If one hangs, the error says why.
func (e *Exercise) End(ctx context.Context, c Cluster) error {
	if err := e.foreign(ctx, c); err != nil {
		return err
	}
	for _, name := range e.Namespaces {
		o, err := c.Get(ctx, namespaces(), "", name)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := empty(ctx, c, name); err != nil {
			return err
		}
		if err := c.Delete(ctx, namespaces(), "", o); err != nil {
			return fmt.Errorf("cannot delete the namespace %s: %w", name, err)
		}
	}
	for _, name := range e.Namespaces {
		if err := gone(ctx, c, name); err != nil {
			return err
		}
	}
	return nil
}

// emptyTime is how long [empty] waits for pods to be deleted.
const emptyTime = 10 * time.Second

// empty deletes the pods of a namespace. Otherwise the namespace controller gives them time to end, and
// looks at them again after half of that time, which is 15 seconds by default. Pods that stay are left
// to it.
func empty(ctx context.Context, c Cluster, namespace string) error {
	limited, cancel := context.WithTimeout(ctx, emptyTime)
	defer cancel()
	for {
		pods, err := c.Empty(ctx, namespace)
		if err != nil {
			return fmt.Errorf("cannot delete the pods of namespace %s: %w", namespace, err)
		}
		if pods == 0 || pause(limited) != nil {
			return ctx.Err()
		}
	}
}

func gone(ctx context.Context, c Cluster, namespace string) error {
	for {
		o, err := c.Get(ctx, namespaces(), "", namespace)
		if errors.Is(err, fault.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			hanging := fmt.Errorf("namespace %s is still being deleted%s: %w", namespace, obstacle(o), err)
			return fault.WithHint(hanging, "see what is left: kubectl get namespace %s -o yaml; then run the command again", namespace)
		}
	}
}

// obstacle says what keeps a namespace from being deleted, in the words of the API server.
func obstacle(o Object) string {
	var reasons []string
	conditions, _ := field(o, "status", "conditions").([]any)
	for _, c := range conditions {
		condition := asObject(c)
		if text(condition, "status") == "True" {
			reasons = append(reasons, text(condition, "message"))
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, "; ") + ")"
}

// Elsewhere returns the namespaces that have an object that the exercise looks for and does not find:
// the student may have created it in the wrong namespace. Namespaces of exercises do not count: their objects belong to
// their own tasks, and those of this exercise come and go while it is reset.
func (e *Exercise) Elsewhere(ctx context.Context, c Cluster, state State) (kind, name string, found []string) {
	for _, p := range e.Probes {
		o, absent := state[p.Name.Value].(map[string]any)
		r, ok := ResourceOf(p.Get.Kind.Value)
		if !ok || r.Clustered || !absent || len(o) > 0 {
			continue
		}
		all, err := c.List(ctx, r, "", "")
		if err != nil {
			continue // only a suggestion
		}
		for _, o := range all {
			if NameOf(o) == p.Get.Name.Value {
				found = append(found, text(o, "metadata", "namespace"))
			}
		}
		if found = e.withoutExercises(ctx, c, found); len(found) > 0 {
			return r.Kind, p.Get.Name.Value, found
		}
	}
	return "", "", nil
}

// withoutExercises removes the namespaces of exercises from names. It removes all names if the namespaces cannot be read.
func (e *Exercise) withoutExercises(ctx context.Context, c Cluster, names []string) []string {
	if len(names) == 0 {
		return nil
	}
	labelled, err := c.List(ctx, namespaces(), "", labelExercise)
	if err != nil {
		return nil
	}
	taken := slices.Clone(e.Namespaces)
	for _, o := range labelled {
		taken = append(taken, NameOf(o))
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(taken, name) })
}
