package supervise_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/supervise"
)

// diary remembers what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) index(t *testing.T, line string) int {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.lines, line)
	if i < 0 {
		t.Fatalf("no %q in %q", line, d.lines)
	}
	return i
}

func (d *diary) report(step string, state supervise.State) { d.add(step + " " + string(state)) }

// server is a component that notes when it starts and stops.
func (d *diary) server(name string, needs ...string) supervise.Component {
	return supervise.Component{Name: name, Step: name, Needs: needs, Run: func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		d.add(name + " stopped")
		return nil
	}}
}

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	t.Parallel()
	d := new(diary)
	ctx, cancel := context.WithCancel(t.Context())
	parts := []supervise.Component{d.server("roof", "wall"), d.server("wall", "floor"), d.server("floor")}

	if err := supervise.Run(ctx, parts, d.report, cancel); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"floor started", "floor done", "wall started", "wall done", "roof started", "roof done",
		"roof stopped", "wall stopped", "floor stopped",
	}
	if diff := cmp.Diff(want, d.lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestIndependentComponentsStartTogether(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var meeting sync.WaitGroup // both must be here before either is ready
	meeting.Add(2)
	meet := func(ctx context.Context, ready func()) error {
		meeting.Done()
		meeting.Wait()
		ready()
		<-ctx.Done()
		return nil
	}
	parts := []supervise.Component{{Name: "a", Run: meet}, {Name: "b", Run: meet}}
	if err := supervise.Run(ctx, parts, new(diary).report, cancel); err != nil {
		t.Fatal(err)
	}
}

func TestFailureStopsTheRest(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := map[string]struct {
		run  func(context.Context, func()) error
		task bool
		want string
	}{
		"error before it was ready": {run: func(context.Context, func()) error { return broken }, want: "b: broken"},
		"error later":               {run: func(_ context.Context, ready func()) error { ready(); return broken }, want: "b: broken"},
		"end without a reason":      {run: func(_ context.Context, ready func()) error { ready(); return nil }, want: "b: ended unexpectedly"},
		"failed task":               {run: func(context.Context, func()) error { return broken }, task: true, want: "b: broken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := new(diary)
			parts := []supervise.Component{
				d.server("a"),
				{Name: "b", Needs: []string{"a"}, Task: test.task, Run: test.run},
				d.server("c", "a"),
			}
			err := supervise.Run(t.Context(), parts, d.report, func() {})
			if err == nil || err.Error() != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			d.index(t, "a stopped")
		})
	}
}

func TestWhatNeedsAFailedComponentNeverStarts(t *testing.T) {
	t.Parallel()
	d := new(diary)
	parts := []supervise.Component{
		{Name: "a", Run: func(context.Context, func()) error { return errors.New("no") }},
		d.server("b", "a"),
	}
	if err := supervise.Run(t.Context(), parts, d.report, func() { t.Error("ready") }); err == nil {
		t.Error("no error")
	}
	if len(d.lines) > 0 {
		t.Errorf("got %q", d.lines)
	}
}

func TestTaskIsReadyWhenItHasEnded(t *testing.T) {
	t.Parallel()
	d := new(diary)
	ctx, cancel := context.WithCancel(t.Context())
	parts := []supervise.Component{
		{Name: "task", Step: "task", Task: true, Run: func(context.Context, func()) error { d.add("worked"); return nil }},
		d.server("after", "task"),
	}
	if err := supervise.Run(ctx, parts, d.report, cancel); err != nil {
		t.Fatal(err)
	}
	if d.index(t, "worked") > d.index(t, "task done") || d.index(t, "task done") > d.index(t, "after started") {
		t.Errorf("got %q", d.lines)
	}
}

func TestGraceLeavesBehindWhatDoesNotStop(t *testing.T) {
	t.Parallel()
	d := new(diary)
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	defer close(never)
	parts := []supervise.Component{
		d.server("floor"),
		{Name: "stuck", Needs: []string{"floor"}, Grace: time.Millisecond, Run: func(_ context.Context, ready func()) error {
			ready()
			<-never
			return nil
		}},
	}
	if err := supervise.Run(ctx, parts, d.report, cancel); err != nil {
		t.Fatal(err)
	}
	d.index(t, "floor stopped")
}

func TestRefusesWhatCannotStart(t *testing.T) {
	t.Parallel()
	d := new(diary)
	tests := map[string]struct {
		parts []supervise.Component
		want  string
	}{
		"same name":    {[]supervise.Component{d.server("a"), d.server("a")}, `two components have the name "a"`},
		"unknown need": {[]supervise.Component{d.server("a", "b")}, `a needs "b", which does not exist`},
		"circle":       {[]supervise.Component{d.server("a", "b"), d.server("b", "a")}, "needs itself"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := supervise.Run(t.Context(), test.parts, d.report, func() {})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
