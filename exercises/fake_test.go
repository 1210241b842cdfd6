package exercises_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// fake is a cluster in memory. Its controllers run at once: a Deployment has the pods that it wants, on
// the first node that takes them, and each namespace has a ServiceAccount.
type fake struct {
	blocked int // evictions that a PodDisruptionBudget does not allow
	mu      sync.Mutex
	objects map[string]exercises.Object // by KIND/NAMESPACE/NAME
	serial  int
	lazy    bool // controllers do not run
}

func newFake() *fake { return &fake{objects: map[string]exercises.Object{}} }

func key(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func (f *fake) Get(ctx context.Context, r exercises.Resource, namespace, name string) (exercises.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, ok := f.objects[key(r.Kind, namespace, name)]
	if !ok {
		return nil, fault.Errorf(fault.ErrNotFound, "%s %s not found", r.Kind, name)
	}
	return clone(o), nil
}

func (f *fake) List(ctx context.Context, r exercises.Resource, namespace, selector string) ([]exercises.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all []exercises.Object
	label, value, exact := strings.Cut(selector, "=")
	for k, o := range f.objects {
		labels, _ := metadata(o)["labels"].(map[string]any)
		if !strings.HasPrefix(k, r.Kind+"/"+namespace) || selector != "" && (labels[label] == nil || exact && labels[label] != value) {
			continue
		}
		all = append(all, clone(o))
	}
	slices.SortFunc(all, func(a, b exercises.Object) int { return cmp.Compare(exercises.NameOf(a), exercises.NameOf(b)) })
	return all, nil
}

func (f *fake) Create(ctx context.Context, r exercises.Resource, namespace string, o exercises.Object) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	k := key(r.Kind, namespace, exercises.NameOf(o))
	if f.objects[k] != nil {
		return fault.Errorf(fault.ErrExists, "%s exists", k)
	}
	f.put(k, namespace, o)
	if r.Kind == "Namespace" {
		account := exercises.Object{"kind": "ServiceAccount", "metadata": map[string]any{"name": "default"}}
		f.put(key("ServiceAccount", exercises.NameOf(o), "default"), exercises.NameOf(o), account)
	}
	f.reconcile()
	return nil
}

func (f *fake) put(k, namespace string, o exercises.Object) {
	o = clone(o)
	f.serial++
	metadata(o)["uid"] = strconv.Itoa(f.serial)
	metadata(o)["namespace"] = namespace
	f.objects[k] = o
}

func (f *fake) Update(ctx context.Context, r exercises.Resource, namespace string, o exercises.Object) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	k := key(r.Kind, namespace, exercises.NameOf(o))
	if f.objects[k] == nil {
		return fault.Errorf(fault.ErrNotFound, "%s not found", k)
	}
	f.objects[k] = clone(o)
	f.reconcile()
	return nil
}

func (f *fake) Delete(ctx context.Context, r exercises.Resource, namespace string, o exercises.Object) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	delete(f.objects, key(r.Kind, namespace, exercises.NameOf(o)))
	if r.Kind == "Namespace" {
		for k := range f.objects {
			if strings.Contains(k, "/"+exercises.NameOf(o)+"/") {
				delete(f.objects, k)
			}
		}
	}
	f.reconcile()
	return nil
}

func (f *fake) Evict(ctx context.Context, namespace string, o exercises.Object) (bool, error) {
	f.mu.Lock()
	allowed := f.blocked == 0
	f.blocked = max(f.blocked-1, 0)
	f.mu.Unlock()
	if !allowed {
		return false, nil
	}
	pods, _ := exercises.ResourceOf("Pod")
	return true, f.Delete(ctx, pods, namespace, o)
}

func (f *fake) Watch(context.Context, exercises.Watched, func()) error   { return nil }
func (f *fake) Empty(context.Context, string) (int, error)               { return 0, nil }
func (f *fake) Log(context.Context, string, string, int) (string, error) { return "", nil }
func (f *fake) Ask(context.Context, string, string, int, string) exercises.Answer {
	return exercises.Answer{}
}

// reconcile creates and deletes pods until each Deployment has those that it wants.
func (f *fake) reconcile() {
	if f.lazy {
		return
	}
	for k, o := range f.objects {
		name, ok := strings.CutPrefix(k, "Deployment/")
		if !ok {
			continue
		}
		namespace, name, _ := strings.Cut(name, "/")
		spec := o["spec"].(map[string]any)
		want := spec["replicas"].(int64)
		var pods []string
		for p, pod := range f.objects {
			owners, _ := metadata(pod)["ownerReferences"].([]any)
			switch owned := len(owners) > 0 && strings.HasPrefix(p, "Pod/"+namespace+"/"+name+"-"); {
			case owned && imageIn(pod) == imageIn(o):
				pods = append(pods, p)
			case owned: // of an earlier template
				delete(f.objects, p)
			}
		}
		for ; int64(len(pods)) > want; pods = pods[1:] {
			delete(f.objects, pods[0])
		}
		for n := int64(len(pods)); n < want; n++ {
			f.serial++
			pod := exercises.Object{"kind": "Pod", "metadata": map[string]any{
				"name": name + "-" + strconv.Itoa(f.serial), "labels": map[string]any{"app": name}, "ownerReferences": []any{map[string]any{"kind": "ReplicaSet", "name": name}},
			}, "spec": map[string]any{"nodeName": f.node(), "containers": containersIn(o)}, "status": map[string]any{"phase": "Running"}}
			f.put(key("Pod", namespace, exercises.NameOf(pod)), namespace, pod)
		}
		o["status"] = map[string]any{"replicas": want, "updatedReplicas": want, "availableReplicas": want, "readyReplicas": want}
	}
}

// node returns the first node that takes pods.
func (f *fake) node() string {
	var names []string
	for k, o := range f.objects {
		spec, _ := o["spec"].(map[string]any)
		if name, ok := strings.CutPrefix(k, "Node//"); ok && spec["unschedulable"] != true {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// containersIn returns the containers of a pod or of a template of pods.
func containersIn(o exercises.Object) []any {
	spec, _ := o["spec"].(map[string]any)
	if template, ok := spec["template"].(map[string]any); ok {
		spec, _ = template["spec"].(map[string]any)
	}
	containers, _ := spec["containers"].([]any)
	return containers
}

func imageIn(o exercises.Object) any {
	for _, c := range containersIn(o) {
		return c.(map[string]any)["image"]
	}
	return nil
}

func metadata(o exercises.Object) map[string]any {
	m, _ := o["metadata"].(map[string]any)
	return m
}

// clone copies an object with the types of the API machinery.
func clone(o exercises.Object) exercises.Object {
	return copied(o).(map[string]any)
}

func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, child := range v {
			m[k] = copied(child)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, child := range v {
			l[i] = copied(child)
		}
		return l
	}
	return v
}

// dump returns the objects that a student can see, without what changes on its own.
func (f *fake) dump(t *testing.T) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := json.MarshalIndent(f.objects, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
