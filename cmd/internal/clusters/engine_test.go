package clusters_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

// engineA and engineB are two engines of one machine.
func engineA() providers.Engine {
	return providers.Engine{ID: "id-a", Context: "a", Host: "unix:///a.sock"}
}
func engineB() providers.Engine { return providers.Engine{ID: "id-b", Host: "unix:///b.sock"} }

// onA returns a bench with the cluster "demo", which was created on engine A.
func onA(t *testing.T) labtest.Bench {
	t.Helper()
	b := labtest.New(t, nil)
	use(t, b, providertest.Engines{Current: engineA()})
	b.MustUp(t, "demo")
	return b
}

func use(t *testing.T, b labtest.Bench, e providertest.Engines) {
	t.Helper()
	if err := b.Machine.SetEngines(e); err != nil {
		t.Fatal(err)
	}
}

// TestAnotherEngine: lab finds, uses and deletes a cluster on the engine where it was created,
// whatever engine is used then.
func TestAnotherEngine(t *testing.T) {
	t.Parallel()
	b := onA(t)
	if r, err := b.State.Get("demo"); err != nil || r.Engine != engineA() {
		t.Errorf("recorded: %+v, %v", r.Engine, err)
	}
	use(t, b, providertest.Engines{Current: engineB()})
	for _, all := range []bool{false, true} {
		if list, problems := b.List(t.Context(), all); problems != nil || len(list.Items) != 1 || list.Items[0].State != providers.StateRunning {
			t.Errorf("all %v: %+v, %v", all, list.Items, problems)
		}
	}
	if _, err := b.Stop(t.Context(), "demo", nil); err != nil {
		t.Error(err)
	}
	if err := b.Down(t.Context(), "demo", nil); err != nil {
		t.Error(err)
	}
	b.WantNoRecord(t, "demo")
	use(t, b, providertest.Engines{Current: engineA()})
	if left := b.Existing(t); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
}

// TestEngineAway: lab keeps the record of a cluster, and does not report the cluster as gone, if its
// engine does not answer, or if another engine answers at its address.
func TestEngineAway(t *testing.T) {
	t.Parallel()
	for name, engines := range map[string]providertest.Engines{
		"it does not answer":       {Current: engineB(), Down: []string{engineA().Host}},
		"another took its address": {Current: engineB(), IDs: map[string]string{engineA().Host: "id-c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := onA(t)
			use(t, b, engines)
			c, err := b.Status(t.Context(), "demo")
			if err != nil || c.State != providers.StateUnknown || !strings.Contains(c.Reason, engineA().Host) {
				t.Errorf("%s (%q), %v", c.State, c.Reason, err)
			}
			list, problems := b.List(t.Context(), false)
			labtest.WantIs(t, problems, fault.ErrUnavailable)
			if len(list.Items) != 1 || list.Items[0].State != providers.StateUnknown {
				t.Errorf("%+v", list.Items)
			}
			_, up := b.Up(t.Context(), labtest.Request("demo"), nil)
			labtest.WantIs(t, up, fault.ErrUnavailable)
			down := b.Down(t.Context(), "demo", nil)
			labtest.WantIs(t, down, fault.ErrUnavailable)
			if hint := fault.HintOf(down); !strings.Contains(hint, "lab down demo --forget") {
				t.Errorf("%v (hint %q)", down, hint)
			}
			if r, err := b.State.Get("demo"); err != nil || r.Phase != state.PhaseCreated {
				t.Errorf("the record: phase %q, %v", r.Phase, err)
			}
			use(t, b, providertest.Engines{Current: engineA()})
			if c, err := b.Status(t.Context(), "demo"); err != nil || c.State != providers.StateRunning {
				t.Errorf("with its engine back: %s, %v", c.State, err)
			}
			labtest.WantIs(t, b.Forget(t.Context(), "demo", nil), fault.ErrInvalid) // it would leave the cluster behind
			use(t, b, engines)
			if err := b.Forget(t.Context(), "demo", nil); err != nil {
				t.Error(err)
			}
			b.WantNoRecord(t, "demo")
			if _, err := os.Stat(filepath.Join(b.Home, "kubeconfig")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the kubeconfig is left: %v", err)
			}
		})
	}
}

// TestOldRecord: lab adds to a record without an engine the engine that has the cluster, and no other.
func TestOldRecord(t *testing.T) {
	t.Parallel()
	b := onA(t)
	r, err := b.State.Get("demo")
	if err != nil {
		t.Fatal(err)
	}
	r.Engine = providers.Engine{}
	if err := b.State.Put(r); err != nil {
		t.Fatal(err)
	}
	use(t, b, providertest.Engines{Current: engineB()})
	if _, err := b.Start(t.Context(), "demo", "", nil); err == nil {
		t.Error("it was started on an engine that does not have it")
	}
	if r, _ := b.State.Get("demo"); !r.Engine.IsZero() {
		t.Errorf("bound to %+v", r.Engine)
	}
	use(t, b, providertest.Engines{Current: engineA()})
	if _, err := b.Start(t.Context(), "demo", "", nil); err != nil {
		t.Error(err)
	}
	if r, _ := b.State.Get("demo"); r.Engine != engineA() {
		t.Errorf("bound to %+v", r.Engine)
	}
}
