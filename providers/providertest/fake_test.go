package providertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestFakePassesForAFlavor(t *testing.T) {
	options := FakeOptions{
		Name:              "minikube",
		Description:       providers.Description{Summary: "a cluster in a container or a VM"},
		Traits:            providers.Traits{RunsPods: true, HostPorts: providers.HostPortsNode},
		Context:           "%s",
		KubernetesVersion: "v1.36.0",
	}
	p := NewFake(Machine(t.TempDir()), options)
	must(t, p.Create(t.Context(), providers.Spec{Name: "shop"}, nil))

	if diff := cmp.Diff(options.Traits, p.Traits(providers.Spec{})); diff != "" {
		t.Errorf("traits (-want +got):\n%s", diff)
	}
	if got := p.Describe().Summary; got != options.Description.Summary {
		t.Errorf("summary is %q", got)
	}
	clusters, err := p.List(t.Context())
	must(t, err)
	want := []providers.Cluster{{
		Name: "shop", Provider: "minikube", State: providers.StateRunning,
		ID: clusters[0].ID, KubernetesVersion: "v1.36.0", Nodes: []string{"shop-node"},
		Parts: []providers.Part{{Kind: "node", Name: "shop-node"}, {Kind: "network", Name: "shop", Repair: true}},
	}}
	if diff := cmp.Diff(want, clusters); diff != "" {
		t.Errorf("clusters (-want +got):\n%s", diff)
	}
	k, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "shop"})
	must(t, err)
	if !strings.Contains(string(k), "current-context: shop\n") {
		t.Errorf("kubeconfig has another context:\n%s", k)
	}
}

func TestFakeWithoutAnAbilityHasTheOthers(t *testing.T) {
	for _, without := range []Ability{"", StartStop, LoadImages, ExportLogs} {
		p := NewFake(Machine(t.TempDir()), FakeOptions{Without: without})
		for ability, has := range abilities(p) {
			if has != (ability != without) {
				t.Errorf("without %q: can %s: %t", without, ability, has)
			}
		}
	}
}

// TestFaultsMayBeWrittenByHand is about the file, as scripts write it.
func TestFaultsMayBeWrittenByHand(t *testing.T) {
	m := Machine(t.TempDir())
	p := NewFake(m, FakeOptions{}).(*fake)
	must(t, p.Create(t.Context(), providers.Spec{Name: "lab"}, nil))
	calls := map[string]func() error{
		"create":     func() error { return p.Create(t.Context(), providers.Spec{Name: "other"}, nil) },
		"delete":     func() error { return p.Delete(t.Context(), providers.Ref{Name: "lab"}) },
		"list":       func() error { _, err := p.List(t.Context()); return err },
		"kubeconfig": func() error { _, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "lab"}); return err },
		"start":      func() error { return p.Start(t.Context(), providers.Ref{Name: "lab"}, nil) },
		"stop":       func() error { return p.Stop(t.Context(), providers.Ref{Name: "lab"}) },
		"loadImages": func() error { return p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, os.DevNull) },
		"exportLogs": func() error { return p.ExportLogs(t.Context(), providers.Ref{Name: "lab"}, t.TempDir()) },
	}
	for call, f := range calls {
		writeFaults(t, m, `{"fail": {"`+call+`": "device is busy"}}`)
		if err := f(); err == nil || err.Error() != "device is busy" {
			t.Errorf("%s: error is %v, want the one of faults.json", call, err)
		}
	}
	if leaks := m.Leaks("other"); len(leaks) > 0 {
		t.Errorf("the create that failed left %q", leaks)
	}
}

func TestMisspeltFaultIsAnError(t *testing.T) {
	for _, faults := range []string{`{"falls": {}}`, `{"stepDelay": "soon"}`, `{`} {
		m := Machine(t.TempDir())
		writeFaults(t, m, faults)
		if err := NewFake(m, FakeOptions{}).Check(t.Context(), providers.Spec{}); err == nil || !strings.Contains(err.Error(), "faults.json") {
			t.Errorf("%s: error is %v, want one that names faults.json", faults, err)
		}
	}
}

func TestUnavailableMachineMakesNoCluster(t *testing.T) {
	m := Machine(t.TempDir())
	writeFaults(t, m, `{"unavailable": "the engine is not running", "hint": "start it"}`)
	err := NewFake(m, FakeOptions{}).Create(t.Context(), providers.Spec{Name: "lab"}, nil)
	if !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) != "start it" {
		t.Errorf("error is %v, hint %q", err, fault.HintOf(err))
	}
}

func TestHangingStepGoesOnUntilItIsCancelled(t *testing.T) {
	m := Machine(t.TempDir())
	writeFaults(t, m, `{"hangStep": 3}`)
	ctx, cancel := context.WithCancel(t.Context())
	hanging := make(chan struct{})
	report := func(e event.Event) {
		if e.Step == "Waiting for the API server" && e.State == event.Started {
			close(hanging)
		}
	}
	done := make(chan error)
	go func() { done <- NewFake(m, FakeOptions{}).Create(ctx, providers.Spec{Name: "lab"}, report) }()
	<-hanging
	select {
	case err := <-done:
		t.Fatalf("Create returned before it was cancelled: %v", err)
	case <-time.After(20 * time.Millisecond): // long enough for a step that does not hang
	}
	cancel()
	wantError(t, <-done, context.Canceled)
}

func TestStepsTakeTheirTime(t *testing.T) {
	m := Machine(t.TempDir())
	writeFaults(t, m, `{"stepDelay": "10ms"}`)
	began := time.Now()
	must(t, NewFake(m, FakeOptions{}).Create(t.Context(), providers.Spec{Name: "lab"}, nil))
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("three steps took %s", took)
	}
}

func writeFaults(t *testing.T, m Machine, faults string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(string(m), "faults.json"), []byte(faults), 0o600))
}
