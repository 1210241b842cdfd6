package learning

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestInterruption checks that an interrupted check says whether the cluster is restored, not which request failed.
func TestInterruption(t *testing.T) {
	t.Parallel()
	l, request := &Learning{Dir: t.TempDir()}, errors.New("Get https://127.0.0.1:1/apis: EOF")
	if err := l.interruption(t.Context(), "lab", request); err != request {
		t.Errorf("without an interrupt: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.interruption(ctx, "lab", request); !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "; what the check changed is restored") {
		t.Errorf("restored: %v", err)
	}
	if err := os.WriteFile(l.undoPath("lab"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.interruption(ctx, "lab", request); err != request {
		t.Errorf("not restored: %v", err)
	}
}

// TestFailedAddonLeavesAWay checks that a student without a network learns what works anyway.
func TestFailedAddonLeavesAWay(t *testing.T) {
	t.Parallel()
	cause := fault.WithHint(fault.Errorf(fault.ErrUnavailable, "no network"), "check the network")
	err := withoutAddon(Choice{Exercise: &exercises.Exercise{Name: "ingress"}, Cluster: "mine"}, cause)
	hint := fault.HintOf(err)
	for _, want := range []string{"check the network\n", "your cluster works", "lab exercise list", "lab exercise start ingress --name mine"} {
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(hint, want) {
			t.Errorf("%v: the hint lacks %q:\n%s", err, want, hint)
		}
	}
}
