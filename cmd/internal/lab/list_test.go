package lab_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// TestListOfAnotherLab: a cluster of a flavor that this lab has not is not said to be
// gone, and nothing is done to what is remembered of it.
func TestListOfAnotherLab(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.up(t, "mine")
	ghost := state.Record{Name: "theirs", Flavor: "ghost", Phase: state.PhaseCreated, ID: "1", CreatedAt: time.Now()}
	if err := b.State.Put(ghost); err != nil {
		t.Fatal(err)
	}
	for _, all := range []bool{false, true} {
		list, problems := b.List(t.Context(), all)
		if len(list.Items) != 2 || list.Items[0].State != providers.StateRunning {
			t.Fatalf("%+v, want two clusters, the first running", list.Items)
		}
		if c := list.Items[1]; c.State != providers.StateUnknown || !strings.Contains(c.Reason, `no flavor "ghost"`) {
			t.Errorf("all %v: it is %s, %q", all, c.State, c.Reason)
		}
		wantIs(t, problems, providers.ErrInvalid)
	}
	wantIs(t, b.Down(t.Context(), "theirs", nil), providers.ErrInvalid)
	if r, err := b.State.Get("theirs"); err != nil || r.Phase != state.PhaseCreated {
		t.Errorf("phase %q, %v after it", r.Phase, err)
	}
}
