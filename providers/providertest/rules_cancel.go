package providertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// cancelled has the rules for a Create whose context ends. It cancels when a step starts, not
// after some time: on machines of any speed work is left then, so Create may not succeed.
func (s *suite) cancelled(t *testing.T) {
	before := goroutines(s.Goroutines)
	t.Run("before it starts leaves nothing", func(t *testing.T) {
		ctx, cancel := context.WithCancel(s.ctx(t))
		cancel()
		s.interrupted(ctx, t, s.record(), context.Canceled)
	})
	for _, n := range s.cancelPoints() {
		t.Run(fmt.Sprintf("in step %d leaves nothing", n), func(t *testing.T) {
			ctx, cancel := context.WithCancel(s.ctx(t))
			defer cancel()
			r := s.record()
			r.onStart = func(step int) {
				if step == n {
					cancel()
				}
			}
			s.interrupted(ctx, t, r, context.Canceled)
		})
	}
	t.Run("by its deadline leaves nothing", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(s.ctx(t), s.deadline())
		defer cancel()
		r := s.record()
		// Waiting here keeps a fast Create from being done before its deadline.
		r.onStart = func(int) { <-ctx.Done() }
		s.interrupted(ctx, t, r, context.DeadlineExceeded)
	})
	t.Run("leaves no goroutine", func(t *testing.T) { wantGoroutines(t, before, s.Goroutines) })
}

// interrupted runs a Create whose context ends before it is done.
func (s *suite) interrupted(ctx context.Context, t *testing.T, r *recorder, kind error) {
	t.Helper()
	spec := s.newSpec(t)
	wantError(t, s.create(ctx, spec, r), kind)
	if ctx.Err() == nil {
		t.Errorf("the step at which to cancel never started; %d did", r.starts)
	}
	r.checkSteps(t)
	s.wantGone(t, spec.Name)
}

// cancelPoints returns the steps in which to cancel: all or, for a slow provider, a few. With
// -short it leaves out the last one, which takes nearly as long as a whole Create.
func (s *suite) cancelPoints() []int {
	last := 1
	if s.first != nil {
		last = max(s.first.steps, 1)
	}
	if s.Slow && testing.Short() {
		return slices.Compact([]int{1, (1 + last) / 2})
	}
	if s.Slow {
		return slices.Compact([]int{1, (1 + last) / 2, last})
	}
	var all []int
	for n := 1; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// deadline is long enough to begin the work and too short to finish it.
func (s *suite) deadline() time.Duration {
	if s.Slow {
		return 5 * time.Second
	}
	return 20 * time.Millisecond
}

// failed has the rules for a Create that fails half-way. The error must contain the cause, and
// not the cancellation of a context during the cleanup.
func (s *suite) failed(t *testing.T) {
	for _, cause := range slices.Sorted(maps.Keys(s.Failures)) {
		t.Run("because of "+cause+" leaves nothing", func(t *testing.T) {
			spec, r := s.newSpec(t), s.record()
			s.Failures[cause](t, &spec)
			err := s.create(s.ctx(t), spec, r)
			if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v, want one that tells the cause", err)
			}
			r.checkSteps(t)
			s.wantGone(t, spec.Name)
		})
	}
}

// halfMade has the rules for leftovers of a crash in the middle of Create. List must show them,
// so that they can be deleted.
func (s *suite) halfMade(t *testing.T) {
	if s.HalfMade == nil {
		return
	}
	spec := s.newSpec(t)
	s.HalfMade(t, spec)
	t.Run("is listed, and not as running", func(t *testing.T) {
		if got := s.find(t, s.p, spec.Name); got.State == providers.StateRunning || got.State == "" {
			t.Errorf("state is %q", got.State)
		}
	})
	t.Run("bears its mark or cannot bear one", func(t *testing.T) {
		if got := s.find(t, s.p, spec.Name); got.Mark != spec.Mark && !got.Bare {
			t.Errorf("its mark is %q, not %q", got.Mark, spec.Mark)
		}
	})
	t.Run("keeps its name", func(t *testing.T) {
		wantError(t, s.create(s.ctx(t), spec, s.record()), fault.ErrExists)
	})
	if p, ok := s.p.(providers.LogExporter); ok {
		t.Run("exports the available logs", func(t *testing.T) {
			wantNoError(t, p.ExportLogs(s.ctx(t), s.ref(spec.Name), t.TempDir()))
		})
	}
	t.Run("is deleted without leftovers", func(t *testing.T) {
		wantNoError(t, s.p.Delete(s.ctx(t), s.ref(spec.Name)))
		s.wantGone(t, spec.Name)
	})
}

// foreign has the rules for a cluster that the tool itself created.
func (s *suite) foreign(t *testing.T) {
	if s.Foreign == nil {
		return
	}
	name := s.newSpec(t).Name
	s.Foreign(t, name)
	CheckForeign(t, s.p, name)
}

// CheckForeign has the rules that List shows a running cluster of another program, and does not
// take it for lab's. Run calls it for what Harness.Foreign creates; without that hook, another
// test that has such a cluster can call it.
func CheckForeign(t *testing.T, p providers.Provider, name string) {
	s := &suite{Harness: Harness{Timeout: time.Minute}, p: p}
	t.Run("is listed, with an ID", func(t *testing.T) {
		if got := s.find(t, p, name); got.ID == "" || got.State != providers.StateRunning {
			t.Errorf("List says %+v, want it running and with an ID", got)
		}
	})
	t.Run("bears no mark", func(t *testing.T) {
		if got := s.find(t, p, name); got.Mark != "" || got.Bare {
			t.Errorf("its mark is %q, bare: %t", got.Mark, got.Bare)
		}
	})
}
