package lab_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

func TestDownForgets(t *testing.T) {
	t.Parallel()
	for what, behind := range map[string]func(bench) error{
		"nothing happened": func(bench) error { return nil },
		"removed": func(b bench) error {
			return providertest.NewFake(b.machine, providertest.FakeOptions{}).Delete(t.Context(), "demo")
		},
		"remade": func(b bench) error { return b.machine.Remake("demo") },
		"broken": func(b bench) error { return b.machine.Break("demo") },
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t, nil)
			b.up(t, "demo")
			if err := behind(b); err != nil {
				t.Fatal(err)
			}
			if err := b.Down(t.Context(), "demo", nil); err != nil {
				t.Fatal(err)
			}
			b.forgotten(t, "demo")
			if theirs := len(b.clusters(t)); theirs > 0 != (what == "remade") {
				t.Errorf("%d clusters are left", theirs)
			}
			if _, err := os.Stat(filepath.Join(b.home, "kubeconfig")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the kubeconfig is left: %v", err)
			}
			wantIs(t, b.Down(t.Context(), "demo", nil), map[bool]error{true: providers.ErrForeign, false: providers.ErrNotFound}[what == "remade"])
		})
	}
}

// TestDownInterrupted: what an interrupt left is removed by the next call.
func TestDownInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.up(t, "demo")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantIs(t, b.Down(ctx, "demo", nil), context.Canceled)
	if err := b.Down(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	b.forgotten(t, "demo")
}
