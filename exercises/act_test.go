package exercises_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// acting returns an exercise with a check that changes the cluster, and one that does not.
func acting(t *testing.T, act, pass string) *exercises.Exercise {
	t.Helper()
	files := smallPack()
	files["pack.yaml"] = strings.Replace(packText, "[web:v1]", "[web:v1, web:v2]", 1)
	files["one/exercise.yaml"] = strings.NewReplacer(
		"namespaces: [one]", "namespaces: [one]\nneeds: {nodes: 2}",
		"observe:\n", "observe:\n  - {name: pods, list: {kind: Pod, selector: app=web}}\n",
		"wrong:\n", "  - id: acts\n    act: "+act+"\n    pass: "+pass+"\n    hints: [{id: none}]\nwrong:\n",
	).Replace(exerciseText)
	for _, file := range []string{"one/en.md", "one/ru.md"} {
		files[file] = strings.Replace(textText, "## solution", "## acts\n\nIt acts\n\n### none\n\nNone.\n\n## solution", 1)
	}
	pack, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	return pack.Exercises[0]
}

const returns = "pods.size() == before.pods.size() && pods.exists(p, !before.pods.exists(b, b.metadata.uid == p.metadata.uid))"

// begin begins an exercise, and solves the check that does not act.
func begin(t *testing.T, e *exercises.Exercise, f *fake) {
	t.Helper()
	if err := e.Begin(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	deployments, _ := exercises.ResourceOf("Deployment")
	web, err := f.Get(t.Context(), deployments, "one", "web")
	if err != nil {
		t.Fatal(err)
	}
	web["spec"].(map[string]any)["replicas"] = int64(2)
	if err := f.Update(t.Context(), deployments, "one", web); err != nil {
		t.Fatal(err)
	}
}

func results(t *testing.T, e *exercises.Exercise, f *fake) exercises.Results {
	t.Helper()
	state, err := e.Observe(t.Context(), f, false)
	if err != nil {
		t.Fatal(err)
	}
	return e.Evaluate(t.Context(), state, false)
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	e, f := acting(t, "{delete: {kind: Pod}}", returns), newFake()
	if err := e.Begin(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	got := results(t, e, f)
	if r := got.Get("replicas"); r.State != exercises.Failed || r.Hint != "more" {
		t.Errorf("in the beginning: %+v", r)
	}
	if r := got.Get("acts"); r.State != exercises.Pending {
		t.Errorf("a check that acts: %+v", r)
	}
	namespaces, _ := exercises.ResourceOf("Namespace")
	one, err := f.Get(t.Context(), namespaces, "", "one")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), namespaces, "", one); err != nil {
		t.Fatal(err)
	}
	if r := results(t, e, f).Get("replicas"); r.State != exercises.Failed || r.Err != nil {
		t.Errorf("without the object: %+v, want failed, for an absent field is not a mistake", r)
	}
	if begun, err := e.Begun(t.Context(), f); begun || err != nil {
		t.Errorf("begun is %v, %v", begun, err)
	}
}

// TestQuantity checks that quantities are compared by their number, and that another string is a mistake of the pack.
func TestQuantity(t *testing.T) {
	t.Parallel()
	for pass, want := range map[string]exercises.Verdict{
		`quantity("128Mi") == quantity("0.125Gi")`: exercises.Passed,
		`quantity("250m") == 0.25`:                 exercises.Passed,
		`quantity(web.limit) > quantity("1Gi")`:    exercises.Failed,
		`quantity(web.absent) > 0.0`:               exercises.Failed,
		`quantity("many") > 0.0`:                   exercises.Broken,
	} {
		files := smallPack()
		files["one/exercise.yaml"] = strings.Replace(exerciseText, "web.spec.replicas == 2", "'"+pass+"'", 1)
		pack, err := load(files)
		if err != nil {
			t.Fatal(err)
		}
		state := exercises.State{"web": map[string]any{"limit": int64(64 << 20), "spec": map[string]any{"replicas": int64(1)}}}
		if got := pack.Exercises[0].Evaluate(t.Context(), state, false).Get("replicas"); got.State != want {
			t.Errorf("%s: %+v, want %s", pass, got, want)
		}
	}
}

// TestActDeletes checks that the pod that a check deletes comes back, and that nothing else changes.
func TestActDeletes(t *testing.T) {
	t.Parallel()
	e, f := acting(t, "{delete: {kind: Pod, selector: app=web}}", returns), newFake()
	begin(t, e, f)
	got := results(t, e, f)
	var journal []*exercises.Undo
	err := e.Act(t.Context(), exercises.Actor{Cluster: f, Journal: func(u *exercises.Undo) error {
		journal = append(journal, u)
		return nil
	}}, got)
	if err != nil || !got.Passed() {
		t.Errorf("%+v, %v", got, err)
	}
	if len(journal) != 2 || journal[0].Kind != "Pod" || journal[1] != nil {
		t.Errorf("the journal is %+v, want the pod and then nothing", journal)
	}
}

// TestActRestores checks that a pod that nobody replaces is created again, and that replicas are
// restored, even if the check is interrupted.
func TestActRestores(t *testing.T) {
	t.Parallel()
	pods, _ := exercises.ResourceOf("Pod")
	bare := exercises.Object{
		"kind": "Pod", "apiVersion": "v1", "metadata": map[string]any{"name": "bare", "labels": map[string]any{"app": "web"}},
		"spec": map[string]any{"nodeName": "node", "containers": []any{}}, "status": map[string]any{"phase": "Running"},
	}
	for name, test := range map[string]struct {
		act, want string
		interrupt bool
	}{
		"deleted":               {"{delete: {kind: Pod}, within: 1s}", `"name": "bare"`, false},
		"deleted, interrupted":  {"{delete: {kind: Pod}, within: 1s}", `"name": "bare"`, true},
		"scaled":                {"{scale: {kind: Deployment, name: web, replicas: 0}, within: 1s}", `"replicas": 2`, false},
		"scaled, interrupted":   {"{scale: {kind: Deployment, name: web, replicas: 0}, within: 1s}", `"replicas": 2`, true},
		"nothing to act on":     {"{delete: {kind: Pod, selector: app=none}, within: 1s}", `"name": "bare"`, false},
		"no object to scale to": {"{scale: {kind: StatefulSet, name: none, replicas: 0}, within: 1s}", `"replicas": 2`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := acting(t, test.act, "pods.size() > 100"), newFake()
			begin(t, e, f)
			if err := f.Create(t.Context(), pods, "one", bare); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := results(t, e, f)
			err := e.Act(ctx, exercises.Actor{Cluster: f, Journal: func(u *exercises.Undo) error {
				if test.interrupt && u != nil {
					go cancel()
				}
				return nil
			}}, got)
			if !test.interrupt && (err != nil || got.Get("acts").State != exercises.Failed) {
				t.Errorf("%+v, %v", got.Get("acts"), err)
			}
			if dump := f.dump(t); !strings.Contains(dump, test.want) {
				t.Errorf("not restored: no %s in\n%s", test.want, dump)
			}
		})
	}
}

// TestBeginKeepsForeign checks that a namespace that was not created for the exercise is never used
// or deleted.
func TestBeginKeepsForeign(t *testing.T) {
	t.Parallel()
	e, f := acting(t, "{delete: {kind: Pod}}", returns), newFake()
	namespaces, _ := exercises.ResourceOf("Namespace")
	mine := exercises.Object{"kind": "Namespace", "metadata": map[string]any{"name": "one"}}
	if err := f.Create(t.Context(), namespaces, "", mine); err != nil {
		t.Fatal(err)
	}
	before := f.dump(t)
	for name, do := range map[string]func(context.Context, exercises.Cluster) error{"Begin": e.Begin, "End": e.End} {
		if err := do(t.Context(), f); !errors.Is(err, fault.ErrForeign) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, want ErrForeign with a hint", name, err)
		}
	}
	if after := f.dump(t); after != before {
		t.Errorf("it was changed:\n%s", after)
	}
}

// TestElsewhere checks that an object in the wrong namespace is found.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	e, f := acting(t, "{delete: {kind: Pod}}", returns), newFake()
	f.lazy = true
	deployments, _ := exercises.ResourceOf("Deployment")
	wrong := exercises.Object{"kind": "Deployment", "metadata": map[string]any{"name": "web"}}
	if err := f.Create(t.Context(), deployments, "default", wrong); err != nil {
		t.Fatal(err)
	}
	state, err := e.Observe(t.Context(), f, false)
	if err != nil {
		t.Fatal(err)
	}
	kind, name, found := e.Elsewhere(t.Context(), f, state)
	if kind != "Deployment" || name != "web" || len(found) != 1 || found[0] != "default" {
		t.Errorf("%s %s in %q", kind, name, found)
	}
}

// TestElsewhereIgnoresExercises checks that objects in the namespaces of exercises, including this one, are not in the
// wrong namespace: another exercise can have objects of the same name, and a reset creates the object after the look.
func TestElsewhereIgnoresExercises(t *testing.T) {
	t.Parallel()
	e, f := acting(t, "{delete: {kind: Pod}}", returns), newFake()
	f.lazy = true
	state, err := e.Observe(t.Context(), f, false)
	if err != nil {
		t.Fatal(err)
	}
	deployments, _ := exercises.ResourceOf("Deployment")
	namespaces, _ := exercises.ResourceOf("Namespace")
	other := exercises.Object{"kind": "Namespace", "metadata": map[string]any{"name": "other", "labels": map[string]any{"clusterlab.dev/exercise": "lecture.other"}}}
	if err := f.Create(t.Context(), namespaces, "", other); err != nil {
		t.Fatal(err)
	}
	web := exercises.Object{"kind": "Deployment", "metadata": map[string]any{"name": "web"}}
	for _, namespace := range []string{"other", e.Namespaces[0]} {
		if err := f.Create(t.Context(), deployments, namespace, web); err != nil {
			t.Fatal(err)
		}
	}
	if kind, name, found := e.Elsewhere(t.Context(), f, state); kind != "" || len(found) > 0 {
		t.Errorf("%s %s in %q", kind, name, found)
	}
}
