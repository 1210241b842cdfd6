package clusters_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

// meanwhile calls do while the cluster becomes ready.
type meanwhile struct {
	labtest.Prober
	do func() error
}

func (m *meanwhile) Wait(context.Context, []byte, probe.Want, func(string)) error { return m.do() }

// TestUpKeepsReadyCluster: if the kubeconfig becomes unwritable, up keeps the cluster without
// its entry.
func TestUpKeepsReadyCluster(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.Kubeconfig.Patience = time.Millisecond
	lock := filepath.Join(b.Home, "kubeconfig.lock")
	b.Probe = &meanwhile{do: func() error { return os.WriteFile(lock, nil, 0o600) }}

	_, err := b.Up(t.Context(), labtest.Request("demo"), nil)
	if err == nil || !strings.Contains(err.Error(), `cluster "demo" is ready, but lab cannot write its kubeconfig entry: `) {
		t.Errorf("Up: %v", err)
	}
	for _, want := range []string{"rm " + lock, "lab use demo"} {
		if hint := fault.HintOf(err); !strings.Contains(hint, want) {
			t.Errorf("the hint %q lacks %q", hint, want)
		}
	}
	for _, kind := range []error{fault.ErrUnavailable, fault.ErrInvalid, fault.ErrExists} {
		if errors.Is(err, kind) {
			t.Errorf("the error is %v, which has its own exit code", kind)
		}
	}
	r, err := b.State.Get("demo")
	if err != nil || r.Phase != state.PhaseCreated || r.Identity != "" {
		t.Errorf("the record: phase %q, identity %q, %v", r.Phase, r.Identity, err)
	}
	if all := b.Existing(t); len(all) != 1 || all[0].State != providers.StateRunning {
		t.Errorf("clusters: %+v", all)
	}

	b.Probe = &labtest.Prober{}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Use(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	if current, err := b.Kubeconfig.Current(); current != "fake-demo" {
		t.Errorf("the current context is %q, %v", current, err)
	}
	if err := b.Down(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	b.WantNoRecord(t, "demo")
	if _, err := os.Stat(filepath.Join(b.Home, "kubeconfig")); !os.IsNotExist(err) {
		t.Errorf("the kubeconfig is left: %v", err)
	}
}

// TestDownOfSeveralKubeconfigs: down removes the entries from every file that got them.
func TestDownOfSeveralKubeconfigs(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	var paths []string
	for _, name := range []string{"one", "two", "one"} {
		path := filepath.Join(b.Home, name)
		paths = append(paths, path)
		b.Kubeconfig.Paths = []string{path}
		b.MustUp(t, "demo")
	}
	b.Kubeconfig.Paths = []string{filepath.Join(b.Home, "three")}
	if err := b.Down(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}
