package inventory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

// TestListOfUnknownFlavor: lab does not report a cluster of an unknown flavor as gone, and does not
// change its record.
func TestListOfUnknownFlavor(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.MustUp(t, "mine")
	ghost := state.Record{Name: "theirs", Flavor: "ghost", Phase: state.PhaseCreated, ID: "1", CreatedAt: time.Now()}
	if err := b.State.Put(ghost); err != nil {
		t.Fatal(err)
	}
	for _, all := range []bool{false, true} {
		list, problems := b.List(t.Context(), all)
		if len(list.Items) != 2 || list.Items[0].State != providers.StateRunning {
			t.Fatalf("%+v, want two clusters, the first running", list.Items)
		}
		if c := list.Items[1]; c.State != providers.StateUnknown || !strings.Contains(c.Reason, `of the flavor "ghost", which this lab does not have`) {
			t.Errorf("all %v: it is %s, %q", all, c.State, c.Reason)
		}
		labtest.WantIs(t, problems, fault.ErrInvalid)
	}
	_, planned := b.Plan(t.Context(), labtest.Request("theirs"))
	_, differs := b.Diff(t.Context(), labtest.Request("theirs"))
	_, shown := b.Status(t.Context(), "theirs")
	for _, err := range []error{b.Down(t.Context(), "theirs", nil), planned, differs, shown} {
		labtest.WantIs(t, err, fault.ErrInvalid)
		if hint := fault.HintOf(err); !strings.Contains(hint, "rm -r "+b.State.Dir("theirs")) {
			t.Errorf("%v: hint %q", err, hint)
		}
	}
	if r, err := b.State.Get("theirs"); err != nil || r.Phase != state.PhaseCreated {
		t.Errorf("phase %q, %v after it", r.Phase, err)
	}
}

// away is a flavor whose tool was removed.
type away struct{ providers.Provider }

func (a away) List(ctx context.Context) ([]providers.Cluster, error) {
	return nil, a.Delete(ctx, providers.Ref{})
}

func (away) Delete(context.Context, providers.Ref) error {
	return fault.Errorf(fault.ErrUnavailable, "the tool is not installed")
}

// TestToolRemoved: lab does not report the clusters of a missing tool as gone, and does not mention the
// tool if it has no clusters.
func TestToolRemoved(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	var err error
	if b.Set, err = providers.NewSet(away{b.Set.All()[0]}); err != nil {
		t.Fatal(err)
	}
	if list, problems := b.List(t.Context(), true); len(list.Items) > 0 || problems != nil {
		t.Errorf("%+v, %v", list.Items, problems)
	}
	there, err := providers.NewSet(b.Set.All()[0].(away).Provider)
	if err != nil {
		t.Fatal(err)
	}
	b.Set = there
	b.MustUp(t, "lab")
	if b.Set, err = providers.NewSet(away{there.All()[0]}); err != nil {
		t.Fatal(err)
	}
	list, problems := b.List(t.Context(), false)
	if len(list.Items) != 1 || list.Items[0].State != providers.StateUnknown {
		t.Errorf("%+v", list.Items)
	}
	labtest.WantIs(t, problems, fault.ErrUnavailable)
	_, err = b.Up(t.Context(), labtest.Request("lab"), nil)
	labtest.WantIs(t, err, fault.ErrUnavailable)
	labtest.WantIs(t, b.Down(t.Context(), "lab", nil), fault.ErrUnavailable)
	if _, err := b.State.Get("lab"); err != nil {
		t.Errorf("it was forgotten: %v", err)
	}
}
