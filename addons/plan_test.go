package addons_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// chain returns a catalog in which c needs b, b needs a, and d conflicts with a.
func chain() addons.Catalog {
	return addons.Catalog{}.With(
		addons.Addon{Name: "a"}, addons.Addon{Name: "b", Needs: []string{"a"}}, addons.Addon{Name: "c", Needs: []string{"b"}},
		addons.Addon{Name: "d", Conflicts: []string{"a"}},
		addons.Addon{Name: "x", Needs: []string{"y"}}, addons.Addon{Name: "y", Needs: []string{"x"}},
		addons.Addon{Name: "z", Needs: []string{"nope"}},
	)
}

func TestPlan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		asked, present string
		want           string
		kind           error
		says           string
	}{
		{asked: "c", want: "a b c"},
		{asked: "c a b c", want: "a b c"},
		{asked: "c", present: "a b", want: "c"},
		{asked: "b", present: "b", want: "a b"},
		{asked: "", want: ""},
		{asked: "d", want: "d"},
		{asked: "a d", kind: fault.ErrInvalid, says: "conflict"},
		{asked: "d a", kind: fault.ErrInvalid, says: "conflict"},
		{asked: "c", present: "d", kind: fault.ErrInvalid, says: "a and d"},
		{asked: "x", kind: fault.ErrInvalid, says: "x -> y -> x"},
		{asked: "z", kind: fault.ErrNotFound, says: `z needs "nope"`},
		{asked: "q", kind: fault.ErrNotFound, says: `"q"`},
	} {
		plan, err := chain().Plan(strings.Fields(test.asked), strings.Fields(test.present))
		if test.kind != nil {
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%+v: %v", test, err)
			}
			continue
		}
		if got := strings.Join(names(plan), " "); err != nil || got != test.want {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
	}
}

// TestRun: independent addons run concurrently, and needed ones first.
func TestRun(t *testing.T) {
	t.Parallel()
	plan, err := chain().Plan([]string{"c"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan = append(plan, addons.Addon{Name: "alone"})
	var mu sync.Mutex
	var order []string
	meet := make(chan struct{}) // a and alone can only pass it together
	err = addons.Run(t.Context(), plan, func(ctx context.Context, a addons.Addon) error {
		switch a.Name {
		case "a":
			meet <- struct{}{}
		case "alone":
			<-meet
		}
		mu.Lock()
		defer mu.Unlock()
		order = append(order, a.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	order = slices.DeleteFunc(order, func(s string) bool { return s == "alone" })
	if diff := cmp.Diff([]string{"a", "b", "c"}, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	plan, err := chain().Plan([]string{"c"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan = append(plan, addons.Addon{Name: "alone"})
	broken := errors.New("no such image")
	var mu sync.Mutex
	var ran []string
	err = addons.Run(t.Context(), plan, func(_ context.Context, a addons.Addon) error {
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, a.Name)
		if a.Name == "a" {
			return broken
		}
		return nil
	})
	slices.Sort(ran)
	if diff := cmp.Diff([]string{"a", "alone"}, ran); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
	want := "no such image\nb was not installed: it needs a, which failed\nc was not installed: it needs b, which failed"
	if !errors.Is(err, broken) || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
}

// TestRunCancelled: addons that have not started do not start.
func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	plan, err := chain().Plan([]string{"b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	err = addons.Run(ctx, plan, func(context.Context, addons.Addon) error { ran++; cancel(); return nil })
	if ran != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d ran: %v", ran, err)
	}
}
