package clusters_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// rival is a flavor with which another program creates the same cluster just before lab does.
type rival struct{ providers.Provider }

func (r rival) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	if err := r.Provider.Create(ctx, spec, nil); err != nil {
		return err
	}
	return r.Provider.Create(ctx, spec, report)
}

// TestUpKeepsRival: a failed creation does not delete the cluster that another program created.
func TestUpKeepsRival(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return rival{p} })
	_, err := b.Up(t.Context(), labtest.Request("demo"), nil)
	labtest.WantIs(t, err, fault.ErrExists)
	if got := b.Existing(t); len(got) != 1 || got[0].State != providers.StateRunning {
		t.Errorf("clusters %+v, want the rival's", got)
	}
	b.WantNoRecord(t, "demo")
	_, err = b.Status(t.Context(), "demo")
	labtest.WantIs(t, err, fault.ErrForeign)
}

// deaf is a flavor whose first listing fails, and which cannot create.
type deaf struct {
	providers.Provider
	once sync.Once
}

func (d *deaf) List(ctx context.Context) ([]providers.Cluster, error) {
	err := error(nil)
	d.once.Do(func() { err = errors.New("the socket is gone") })
	if err != nil {
		return nil, err
	}
	return d.Provider.List(ctx)
}

func (d *deaf) Create(context.Context, providers.Spec, event.Reporter) error {
	return errors.New("no space")
}

// TestUpListsFirst: up does not create a cluster if it cannot list the existing ones: undoing a failed
// creation would delete one of that name.
func TestUpListsFirst(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return &deaf{Provider: p} })
	theirs := providertest.NewFake(b.Machine, providertest.FakeOptions{})
	if err := theirs.Create(t.Context(), providers.Spec{Name: "demo"}.WithDefaults(), nil); err != nil {
		t.Fatal(err)
	}
	_, err := b.Up(t.Context(), labtest.Request("demo"), nil)
	if err == nil || !strings.Contains(err.Error(), "the socket is gone") {
		t.Errorf("error %v, want why the tool cannot be asked", err)
	}
	if got := b.Existing(t); len(got) != 1 {
		t.Errorf("the foreign cluster was deleted")
	}
	b.WantNoRecord(t, "demo")
}

// TestUpConcurrently: of several concurrent calls, one creates the cluster, and the others wait for it,
// however short the patience of other commands is.
func TestUpConcurrently(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.State.Patience = time.Nanosecond
	if err := b.Machine.SetFaults(providertest.Faults{StepDelay: "50ms"}); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			if _, err := b.Up(t.Context(), labtest.Request("demo"), nil); err != nil {
				t.Errorf("up %d: %v", i, err)
				return
			}
			r, err := b.State.Get("demo")
			if err != nil {
				t.Errorf("up %d: %v", i, err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Errorf("identities %q, want one cluster", ids)
			break
		}
	}
}

// TestUpWaitsForNodesAndDNS: up waits for every requested node, and for DNS if pods run.
func TestUpWaitsForNodesAndDNS(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	p := &labtest.Prober{}
	b.Probe = p
	q := labtest.Request("demo")
	q.Spec.ControlPlanes, q.Spec.Workers = 3, 2
	if _, err := b.Up(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	want := probe.Want{Nodes: 5, Names: []string{"demo-node", "demo-node2", "demo-node3", "demo-node4", "demo-node5"}, DNS: true}
	if diff := cmp.Diff(want, p.Waited); diff != "" {
		t.Errorf("waited for (-want +got):\n%s", diff)
	}
}

// TestWaitLevels: up waits for what --wait names, and no more.
func TestWaitLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[inventory.Wait]probe.Want{
		inventory.WaitAPI:   {},
		inventory.WaitNodes: {Nodes: 1, Names: []string{"demo-node"}},
		inventory.WaitAll:   {Nodes: 1, Names: []string{"demo-node"}, DNS: true},
	} {
		b := labtest.New(t, nil)
		q := labtest.Request("demo")
		q.Wait = level
		if _, err := b.Up(t.Context(), q, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.Probe.(*labtest.Prober).Waited); diff != "" {
			t.Errorf("%s: waited for (-want +got):\n%s", level, diff)
		}
		// Only a cluster that was completely ready is recorded as ready.
		if r, err := b.State.Get("demo"); err != nil || r.NotReady != (level != inventory.WaitAll) {
			t.Errorf("%s: not ready %v, %v", level, r.NotReady, err)
		}
	}
}

// TestUpDiffers: up returns an error for each requested setting that an existing cluster does not have.
func TestUpDiffers(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	made := labtest.Request("demo")
	made.Spec = providers.Spec{
		Name: "demo", ControlPlanes: 3, Workers: 1, NodeImage: "node:v1", Native: []byte("a"),
		Ports:  []providers.Port{{Host: 8080, Container: 80}},
		Mounts: []providers.Mount{{Host: "/src", Node: "/src"}},
	}
	if _, err := b.Up(t.Context(), made, nil); err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		asked providers.Spec
		ok    bool
	}{
		"nothing":            {providers.Spec{}, true},
		"all of it again":    {made.Spec, true},
		"the version it has": {providers.Spec{KubernetesVersion: "1.37.2"}, true},
		"another version":    {providers.Spec{KubernetesVersion: "v1.30.0"}, false},
		"one control plane":  {providers.Spec{ControlPlanes: 1}, false},
		"more workers":       {providers.Spec{Workers: 2}, false},
		"another image":      {providers.Spec{NodeImage: "node:v2"}, false},
		"another driver":     {providers.Spec{Driver: "kvm2"}, false},
		"another port":       {providers.Spec{Ports: []providers.Port{{Host: 8081, Container: 80}}}, false},
		"another mount":      {providers.Spec{Mounts: []providers.Mount{{Host: "/src", Node: "/src", ReadOnly: true}}}, false},
		"another config":     {providers.Spec{Native: []byte("b")}, false},
	} {
		tt.asked.Name = "demo"
		plan, err := b.Plan(t.Context(), clusters.UpRequest{Spec: tt.asked})
		switch {
		case tt.ok && (err != nil || plan.Action != clusters.ActionNone):
			t.Errorf("%s: action %q, %v; want none", what, plan.Action, err)
		case !tt.ok && (!errors.Is(err, fault.ErrExists) || fault.HintOf(err) == ""):
			t.Errorf("%s: %v, want ErrExists with a hint", what, err)
		}
	}
}

// TestRecreate: --recreate always recreates, from the record and the settings of the request.
func TestRecreate(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	made := labtest.Request("demo")
	made.Spec.Workers, made.Spec.NodeImage = 2, "node:v1"
	made.Spec.Ports = []providers.Port{{Host: 18735, Container: 80}}
	if _, err := b.Up(t.Context(), made, nil); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what    string
		asked   providers.Spec
		given   profiles.Origins
		workers int
		image   string
		ports   int
	}{
		{what: "nothing", workers: 2, image: "node:v1", ports: 1},
		{what: "more workers", asked: providers.Spec{Workers: 3}, workers: 3, image: "node:v1", ports: 1},
		{what: "another version", asked: providers.Spec{KubernetesVersion: "v1.36.0"}, workers: 3, ports: 1},
		{what: "no workers, said so", given: profiles.Origins{"cluster.workers": "--workers"}, ports: 1},
		{what: "no ports, said so", given: profiles.Origins{"cluster.ports": "lab.yaml:3"}},
	} {
		before, err := b.State.Get("demo")
		if err != nil {
			t.Fatal(err)
		}
		q := labtest.Request("demo")
		q.Spec, q.Given, q.Recreate = tt.asked, tt.given, true
		q.Spec.Name = "demo"
		if _, err := b.Up(t.Context(), q, nil); err != nil {
			t.Fatalf("%s: %v", tt.what, err)
		}
		r, err := b.State.Get("demo")
		if err != nil || r.ID == before.ID {
			t.Fatalf("%s: it is the same cluster, %v", tt.what, err)
		}
		if r.Spec.Workers != tt.workers || r.Spec.NodeImage != tt.image || len(r.Spec.Ports) != tt.ports {
			t.Errorf("%s: %d workers, image %q, %d ports; want %d, %q, %d",
				tt.what, r.Spec.Workers, r.Spec.NodeImage, len(r.Spec.Ports), tt.workers, tt.image, tt.ports)
		}
	}
}

// TestUpInterruptedAtTheEnd: up deletes a cluster if it is interrupted at the end of the creation.
func TestUpInterruptedAtTheEnd(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	b.Probe = interrupting{cancel}
	_, err := b.Up(ctx, labtest.Request("demo"), nil)
	labtest.WantIs(t, err, context.Canceled)
	if got := b.Existing(t); len(got) != 0 {
		t.Errorf("left behind: %+v", got)
	}
	b.WantNoRecord(t, "demo")
	if _, err := os.Stat(filepath.Join(b.Home, "kubeconfig")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a kubeconfig was left: %v", err)
	}
}

// interrupting is a user who interrupts the wait.
type interrupting struct{ cancel context.CancelFunc }

func (i interrupting) Wait(ctx context.Context, _ []byte, _ probe.Want, _ func(string)) error {
	i.cancel()
	return ctx.Err()
}

func (i interrupting) Look(ctx context.Context, _ []byte, _ probe.Want) (probe.Report, error) {
	return probe.Report{}, ctx.Err()
}

// TestUpWithDefaultFlavor: the requested flavor overrides the configured one, which overrides the first
// usable one.
func TestUpWithDefaultFlavor(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.Flavor = "nowhere"
	for _, flavor := range []string{"", clusters.FlavorAuto} {
		q := labtest.Request("demo")
		q.Flavor = flavor
		_, err := b.Plan(t.Context(), q)
		labtest.WantIs(t, err, fault.ErrInvalid)
	}
	b.Flavor = clusters.FlavorAuto
	usable, err := b.Plan(t.Context(), labtest.Request("demo"))
	if err != nil {
		t.Fatal(err)
	}
	b.Flavor = "nowhere"
	q := labtest.Request("demo")
	q.Flavor = usable.Flavor
	if _, err := b.Plan(t.Context(), q); err != nil {
		t.Errorf("request for %s: %v", q.Flavor, err)
	}
}
