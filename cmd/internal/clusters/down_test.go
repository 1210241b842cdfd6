package clusters_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

func TestDownForgets(t *testing.T) {
	t.Parallel()
	for what, behind := range map[string]func(labtest.Bench) error{
		"nothing happened": func(labtest.Bench) error { return nil },
		"removed": func(b labtest.Bench) error {
			return providertest.NewFake(b.Machine, providertest.FakeOptions{}).Delete(t.Context(), providers.Ref{Name: "demo"})
		},
		"remade": func(b labtest.Bench) error { return b.Machine.Remake("demo") },
		"broken": func(b labtest.Bench) error { return b.Machine.Break("demo") },
	} {
		t.Run(what, func(t *testing.T) {
			b := labtest.New(t, nil)
			b.MustUp(t, "demo")
			if err := behind(b); err != nil {
				t.Fatal(err)
			}
			if err := b.Down(t.Context(), "demo", nil); err != nil {
				t.Fatal(err)
			}
			b.WantNoRecord(t, "demo")
			if theirs := len(b.Existing(t)); theirs > 0 != (what == "remade") {
				t.Errorf("%d clusters are left", theirs)
			}
			if _, err := os.Stat(filepath.Join(b.Home, "kubeconfig")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the kubeconfig is left: %v", err)
			}
			labtest.WantIs(t, b.Down(t.Context(), "demo", nil), map[bool]error{true: fault.ErrForeign, false: fault.ErrNotFound}[what == "remade"])
		})
	}
}

// TestDownHalfCreated: lab was killed at the start of a creation. Down keeps a cluster of that name that
// another program created since.
func TestDownHalfCreated(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		behind func(b labtest.Bench, r state.Record) error
		theirs int
	}{
		"nothing was made":   {func(labtest.Bench, state.Record) error { return nil }, 0},
		"it is half-created": {func(b labtest.Bench, r state.Record) error { return b.Machine.HalfMade(r.Spec) }, 0},
		"it is theirs":       {func(b labtest.Bench, _ state.Record) error { return b.Machine.HalfMade(providers.Spec{Name: "demo"}) }, 1},
		"another lab created it": {func(b labtest.Bench, _ state.Record) error {
			return b.Machine.HalfMade(providers.Spec{Name: "demo", Mark: "another"})
		}, 1},
	} {
		t.Run(what, func(t *testing.T) {
			b := labtest.New(t, nil)
			r := state.Record{Name: "demo", Flavor: "fake", Phase: state.PhaseCreating, Spec: providers.Spec{Name: "demo", Mark: "a mark"}}
			if err := errors.Join(b.State.Put(r), test.behind(b, r)); err != nil {
				t.Fatal(err)
			}
			if test.theirs > 0 {
				_, err := b.Up(t.Context(), clusters.UpRequest{Spec: providers.Spec{Name: "demo"}}, nil)
				labtest.WantIs(t, err, fault.ErrForeign)
			}
			if err := b.Down(t.Context(), "demo", nil); err != nil {
				t.Fatal(err)
			}
			b.WantNoRecord(t, "demo")
			if theirs := len(b.Existing(t)); theirs != test.theirs {
				t.Errorf("%d clusters are left, want %d", theirs, test.theirs)
			}
		})
	}
}

// TestDownUnread: down keeps a cluster whose owner is unknown, and its record. It recognizes a cluster
// without an ID by its mark.
func TestDownUnread(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	for _, name := range []string{"lost", "unread"} {
		b.MustUp(t, name)
		if err := b.Machine.LoseID(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Machine.LoseMark("unread"); err != nil {
		t.Fatal(err)
	}
	if err := b.Down(t.Context(), "lost", nil); err != nil {
		t.Error(err)
	}
	b.WantNoRecord(t, "lost")
	c, err := b.Status(t.Context(), "unread")
	if err != nil || c.State != providers.StateUnknown || !strings.Contains(c.Reason, "cannot determine whether lab created") {
		t.Errorf("%s (%q), %v", c.State, c.Reason, err)
	}
	err = b.Down(t.Context(), "unread", nil)
	labtest.WantIs(t, err, fault.ErrUnavailable)
	if hint := fault.HintOf(err); !strings.Contains(hint, "lab down unread --forget") {
		t.Errorf("%v (hint %q)", err, hint)
	}
	if _, err := b.State.Get("unread"); err != nil || len(b.Existing(t)) != 1 {
		t.Errorf("it was forgotten or deleted: %v, %+v", err, b.Existing(t))
	}
}

// TestUpMarks: each cluster has a mark, which its record has, too.
func TestUpMarks(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	seen := map[string]bool{}
	for _, name := range []string{"one", "two"} {
		b.MustUp(t, name)
		r, err := b.State.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Existing(t) {
			if c.Name == name && (c.Mark != r.Spec.Mark || seen[c.Mark] || len(c.Mark) != 36) {
				t.Errorf("mark is %q, recorded %q", c.Mark, r.Spec.Mark)
			}
		}
		seen[r.Spec.Mark] = true
	}
}

// TestDownInterrupted: the next down removes what an interrupted one left.
func TestDownInterrupted(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.MustUp(t, "demo")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	labtest.WantIs(t, b.Down(ctx, "demo", nil), context.Canceled)
	if err := b.Down(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	b.WantNoRecord(t, "demo")
}
