package exercises_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	actSetImage = "{setImage: {kind: Deployment, name: web, image: 'web:v2'}, within: 5s}"
	actDrain    = "{drain: {selector: app=web}, within: 5s}"
	actTraffic  = "{setImage: {kind: Deployment, name: web, image: 'web:v2'}, traffic: {service: web, for: 1s}, within: 5s}"
	actScale    = "{scale: {kind: Deployment, name: web, replicas: 5}, within: 5s}"
	actDelete   = "{delete: {kind: Service}, within: 5s}"

	passImage   = "rolledOut(web) && pods.size() == 2 && pods.all(p, p.spec.containers[0].image == 'web:v2')"
	passDrain   = "pods.size() == 2 && pods.all(p, p.spec.nodeName == 'b')"
	passTraffic = "traffic.sent == 40 && traffic.failed == 0 && traffic.versions == ['v1', 'v2'] && traffic.answers.v2 == 30 && traffic.gap < 1"
)

// twoNodes returns an exercise that acts, on a cluster with two nodes, and with all its other checks passed.
func twoNodes(t *testing.T, act, pass string) (*exercises.Exercise, *fake) {
	t.Helper()
	e, f := acting(t, act, pass), newFake()
	nodes, _ := exercises.ResourceOf("Node")
	for _, name := range []string{"a", "b"} {
		node := exercises.Object{"kind": "Node", "metadata": map[string]any{"name": name}, "spec": map[string]any{}}
		if err := f.Create(t.Context(), nodes, "", node); err != nil {
			t.Fatal(err)
		}
	}
	begin(t, e, f)
	services, _ := exercises.ResourceOf("Service")
	service := exercises.Object{"kind": "Service", "apiVersion": "v1", "metadata": map[string]any{"name": "web"}, "spec": map[string]any{}}
	if err := f.Create(t.Context(), services, "one", service); err != nil {
		t.Fatal(err)
	}
	return e, f
}

// sender returns a sender that creates a load generator on a cluster, as the real one does.
func sender(c exercises.Cluster, sent exercises.Sent, err error) exercises.Sender {
	return func(ctx context.Context, namespace string, to exercises.Traffic, answered func()) (exercises.Sent, error) {
		if err != nil {
			return exercises.Sent{}, err
		}
		pods, _ := exercises.ResourceOf("Pod")
		pod := exercises.Object{"kind": "Pod", "metadata": map[string]any{"name": "load", "labels": map[string]any{
			exercises.LabelCheck: "true", "clusterlab.dev/traffic": to.Service.Value, "app": "web"}}}
		if err := c.Create(ctx, pods, namespace, pod); err != nil {
			return sent, err
		}
		answered()
		<-ctx.Done()
		return sent, c.Delete(context.WithoutCancel(ctx), pods, namespace, pod)
	}
}

func answers() exercises.Sent {
	return exercises.Sent{Requests: 40, Versions: []string{"v1", "v2"}, Answers: map[string]int{"v1": 10, "v2": 30}, Gap: time.Second / 2}
}

// lasting returns what an act must restore: the specs of all objects but pods of controllers.
func lasting(f *fake) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]string{}
	for k, o := range f.objects {
		spec := maps.Clone(o["spec"].(map[string]any))
		if spec["unschedulable"] == false {
			delete(spec, "unschedulable")
		}
		if metadata(o)["ownerReferences"] == nil {
			all[k] = fmt.Sprint(spec)
		}
	}
	return all
}

// specs gives every object a spec, so that lasting sees it.
func specs(f *fake) {
	for _, o := range f.objects {
		if o["spec"] == nil {
			o["spec"] = map[string]any{}
		}
	}
}

// alone adds a pod that no controller replaces to the node that is drained.
func alone(f *fake) {
	f.put("Pod/one/alone", "one", exercises.Object{"kind": "Pod", "metadata": map[string]any{"name": "alone"}, "spec": map[string]any{"nodeName": "a"}})
}

// TestActs checks what each act does, and that it is restored.
func TestActs(t *testing.T) {
	t.Parallel()
	failed := exercises.Sent{Requests: 40, Failed: 3, Versions: []string{"v1", "v2"}, Answers: map[string]int{"v2": 30}}
	noService := fault.Errorf(fault.ErrNotFound, "no Service")
	for name, test := range map[string]struct {
		act, pass string
		sent      exercises.Sent
		err       error // of the sender
		prepare   func(*fake)
		want      exercises.Verdict
	}{
		"image":                 {actSetImage, passImage, exercises.Sent{}, nil, nil, exercises.Passed},
		"no rollout":            {strings.Replace(actSetImage, "5s", "1s", 1), "pods.size() > 0", exercises.Sent{}, nil, func(f *fake) { f.lazy, f.objects["Deployment/one/web"]["status"] = true, map[string]any{} }, exercises.Failed},
		"no workload":           {strings.Replace(actSetImage, "name: web", "name: none", 1), "pods.size() > 0", exercises.Sent{}, nil, nil, exercises.Failed},
		"drain":                 {actDrain, passDrain, exercises.Sent{}, nil, nil, exercises.Passed},
		"drain, blocked":        {actDrain, passDrain, exercises.Sent{}, nil, func(f *fake) { f.blocked = 3 }, exercises.Passed},
		"drain, a pod stays":    {actDrain, passDrain, exercises.Sent{}, nil, alone, exercises.Passed},
		"drain, always blocked": {strings.Replace(actDrain, "5s", "1s", 1), "pods.size() > 0", exercises.Sent{}, nil, func(f *fake) { f.blocked = 100 }, exercises.Failed},
		"traffic":               {actTraffic, passTraffic, answers(), nil, nil, exercises.Passed},
		"only traffic":          {"{traffic: {service: web, for: 1s}}", passTraffic, answers(), nil, nil, exercises.Passed},
		"traffic, lost":         {actTraffic, passTraffic, failed, nil, nil, exercises.Failed},
		"traffic, no Service":   {actTraffic, "traffic.failed == 0", exercises.Sent{}, noService, nil, exercises.Failed},
		"nothing was sent":      {actTraffic, "traffic.failed == 0", exercises.Sent{}, nil, nil, exercises.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := twoNodes(t, test.act, test.pass)
			specs(f)
			if test.prepare != nil {
				test.prepare(f)
			}
			before := lasting(f)
			got := pending(t, e, f)
			actor := exercises.Actor{Cluster: f, RunsPods: true, Send: sender(f, test.sent, test.err), Journal: func(*exercises.Undo) error { return nil }}
			if err := e.Act(t.Context(), actor, got); err != nil || got.Get("acts").State != test.want {
				t.Errorf("%+v, want %s: %v", got.Get("acts"), test.want, err)
			}
			if diff := cmp.Diff(before, lasting(f)); diff != "" {
				t.Errorf("not restored (-before +after):\n%s", diff)
			}
		})
	}
}

// pending returns the results before a check acts, on a cluster that runs containers.
func pending(t *testing.T, e *exercises.Exercise, f *fake) exercises.Results {
	t.Helper()
	state, err := e.Observe(t.Context(), f, true)
	if err != nil {
		t.Fatal(err)
	}
	return e.Evaluate(t.Context(), state, true)
}

// TestTrafficNeedsPods checks that requests are not sent where nobody answers them.
func TestTrafficNeedsPods(t *testing.T) {
	t.Parallel()
	e, f := twoNodes(t, actTraffic, passTraffic)
	if got := results(t, e, f).Get("acts"); got.State != exercises.Skipped {
		t.Errorf("%+v, want skipped", got)
	}
}

// TestTrafficWaits checks that requests begin only when the pods of the rollout before are gone.
func TestTrafficWaits(t *testing.T) {
	t.Parallel()
	e, f := twoNodes(t, actTraffic, passTraffic)
	specs(f)
	got := pending(t, e, f)
	f.put("Pod/one/old", "one", exercises.Object{"kind": "Pod", "metadata": map[string]any{"name": "old", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": map[string]any{}})
	looks := 0
	c := &observed{fake: f, at: func(_ int32, kind string) {
		if kind != "List" {
			return
		}
		if looks++; looks == 4 {
			delete(f.objects, "Pod/one/old")
		}
	}}
	send := sender(f, answers(), nil)
	err := e.Act(t.Context(), exercises.Actor{Cluster: c, RunsPods: true, Journal: func(*exercises.Undo) error { return nil },
		Send: func(ctx context.Context, namespace string, to exercises.Traffic, answered func()) (exercises.Sent, error) {
			if f.objects["Pod/one/old"] != nil {
				t.Error("requests are sent while a pod of the rollout before ends")
			}
			return send(ctx, namespace, to, answered)
		}}, got)
	if err != nil || got.Get("acts").State != exercises.Passed {
		t.Errorf("%+v, %v", got.Get("acts"), err)
	}
}

// TestDrainRefuses checks that nothing happens if no other node takes the pods.
func TestDrainRefuses(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]map[string]any{
		"cordoned":      {"unschedulable": true},
		"control plane": {"taints": []any{map[string]any{"key": "x", "effect": "NoSchedule"}}},
	} {
		e, f := twoNodes(t, actDrain, passDrain)
		f.objects["Node//b"]["spec"] = spec
		before := f.dump(t)
		err := e.Act(t.Context(), exercises.Actor{Cluster: f, Journal: func(*exercises.Undo) error {
			t.Errorf("%s: it begins to change something", name)
			return nil
		}}, results(t, e, f))
		if !errors.Is(err, fault.ErrUnsupported) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, want ErrUnsupported with a hint", name, err)
		}
		if f.dump(t) != before {
			t.Errorf("%s: the cluster was changed", name)
		}
	}
}

// TestActLeaves checks that an act does not restore what the student changed meanwhile.
func TestActLeaves(t *testing.T) {
	t.Parallel()
	deployments, _ := exercises.ResourceOf("Deployment")
	for name, student := range map[string]func(t *testing.T, f *fake){
		"deleted": func(t *testing.T, f *fake) {
			if err := f.Delete(t.Context(), deployments, "one", f.objects["Deployment/one/web"]); err != nil {
				t.Error(err)
			}
		},
		"created again": func(t *testing.T, f *fake) {
			web := clone(f.objects["Deployment/one/web"])
			if err := errors.Join(f.Delete(t.Context(), deployments, "one", web), f.Create(t.Context(), deployments, "one", web)); err != nil {
				t.Error(err)
			}
		},
		"another image": func(t *testing.T, f *fake) {
			web := clone(f.objects["Deployment/one/web"])
			containersIn(web)[0].(map[string]any)["image"] = "web:mine"
			if err := f.Update(t.Context(), deployments, "one", web); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := twoNodes(t, strings.Replace(actSetImage, "5s", "1s", 1), "pods.size() > 100")
			specs(f)
			var after map[string]string
			c := &observed{fake: f, at: func(n int32, kind string) {
				if kind == "Update" && after == nil { // the act has changed the image
					student(t, f)
					after = lasting(f)
				}
			}}
			got := pending(t, e, f)
			err := e.Act(t.Context(), exercises.Actor{Cluster: c, Journal: func(*exercises.Undo) error { return nil }}, got)
			if err != nil || got.Get("acts").State != exercises.Failed {
				t.Errorf("%+v, %v", got.Get("acts"), err)
			}
			if diff := cmp.Diff(after, lasting(f)); diff != "" {
				t.Errorf("what the student did is gone (-before +after):\n%s", diff)
			}
		})
	}
}

// observed is a cluster that calls a function after each request, with their number. Once dead is set,
// every request fails, as if the process had been killed.
type observed struct {
	*fake
	n    atomic.Int32
	dead atomic.Bool
	at   func(n int32, kind string)
}

func (o *observed) did(kind string, err error) error {
	if err == nil {
		o.at(o.n.Add(1), kind)
	}
	return err
}

func (o *observed) alive() error {
	if o.dead.Load() {
		return errors.New("killed")
	}
	return nil
}

func (o *observed) Get(ctx context.Context, r exercises.Resource, namespace, name string) (exercises.Object, error) {
	if err := o.alive(); err != nil {
		return nil, err
	}
	got, err := o.fake.Get(ctx, r, namespace, name)
	return got, o.did("Get", err)
}

func (o *observed) List(ctx context.Context, r exercises.Resource, namespace, selector string) ([]exercises.Object, error) {
	if err := o.alive(); err != nil {
		return nil, err
	}
	got, err := o.fake.List(ctx, r, namespace, selector)
	return got, o.did("List", err)
}

func (o *observed) Create(ctx context.Context, r exercises.Resource, namespace string, object exercises.Object) error {
	if err := o.alive(); err != nil {
		return err
	}
	return o.did("Create", o.fake.Create(ctx, r, namespace, object))
}

func (o *observed) Update(ctx context.Context, r exercises.Resource, namespace string, object exercises.Object) error {
	if err := o.alive(); err != nil {
		return err
	}
	return o.did("Update", o.fake.Update(ctx, r, namespace, object))
}

func (o *observed) Delete(ctx context.Context, r exercises.Resource, namespace string, object exercises.Object) error {
	if err := o.alive(); err != nil {
		return err
	}
	return o.did("Delete", o.fake.Delete(ctx, r, namespace, object))
}

func (o *observed) Evict(ctx context.Context, namespace string, object exercises.Object) (bool, error) {
	if err := o.alive(); err != nil {
		return false, err
	}
	done, err := o.fake.Evict(ctx, namespace, object)
	return done, o.did("Evict", err)
}

// TestActInterrupted ends an act after each of its requests, by a signal and by a kill. The act, or after
// a kill the next process with what the journal kept, restores everything.
func TestActInterrupted(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"signal", "kill"} {
		for name, act := range map[string]struct{ act, pass string }{
			"delete": {actDelete, "pods.size() == 2"}, "scale": {actScale, "pods.size() == 5"}, "image": {actSetImage, passImage},
			"drain": {actDrain, passDrain}, "traffic": {actTraffic, passTraffic},
		} {
			t.Run(how+" "+name, func(t *testing.T) {
				t.Parallel()
				ends := int32(1)
				for ; !interrupted(t, act.act, act.pass, how, ends); ends++ {
				}
				if ends < 4 {
					t.Errorf("the act has only %d requests", ends)
				}
			})
		}
	}
}

// interrupted ends an act after n requests. It returns true if the act had fewer.
func interrupted(t *testing.T, act, pass, how string, n int32) (whole bool) {
	t.Helper()
	e, f := twoNodes(t, act, pass)
	specs(f)
	before, got := lasting(f), pending(t, e, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	whole = true
	c := &observed{fake: f}
	c.at = func(i int32, _ string) {
		switch {
		case i != n:
		case how == "kill":
			whole = false
			c.dead.Store(true)
		default:
			whole = false
			cancel()
		}
	}
	var journal []byte
	err := e.Act(ctx, exercises.Actor{Cluster: c, RunsPods: true, Send: sender(c, answers(), nil), Journal: func(u *exercises.Undo) (err error) {
		if c.dead.Load() {
			return errors.New("killed")
		}
		journal = nil
		if u != nil {
			journal, err = json.Marshal(u)
		}
		return err
	}}, got)
	if whole && err != nil {
		t.Errorf("%v", err)
	}
	if how == "kill" && journal != nil { // the next process
		var u exercises.Undo
		if err := errors.Join(json.Unmarshal(journal, &u), u.Restore(t.Context(), f)); err != nil {
			t.Fatal(err)
		}
	} else if journal != nil {
		t.Errorf("after request %d, there is still something to restore: %s", n, journal)
	}
	if diff := cmp.Diff(before, lasting(f)); diff != "" {
		t.Errorf("ended after request %d: not restored (-before +after):\n%s", n, diff)
	}
	return whole
}

// TestAnnounce checks that lab says what it will do, before it does it.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	for act, want := range map[string]string{
		actTraffic: "set the image of Deployment web to web:v2 and send requests to Service web",
		actDrain:   "drain a node", actScale: "scale Deployment web to 5", actDelete: "delete a Service",
	} {
		e, f := twoNodes(t, act, "pods.size() > 0")
		if got := e.Announce(pending(t, e, f)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
