package event_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/event"
)

func TestStep(t *testing.T) {
	t.Parallel()
	var got []string
	report := event.Reporter(func(e event.Event) {
		if e.Time.IsZero() || e.Elapsed < 0 {
			t.Errorf("%+v has no time", e)
		}
		got = append(got, e.Cluster+" "+e.Step+" "+string(e.State)+" "+e.Message)
	}).For("lab")

	step := report.Start("boil")
	step.Progress("40")
	step.Progress("40") // no news
	step.Progress("80")
	step.End(nil)
	step.End(errors.New("too late"))
	step.Progress("too late")
	err := report.Do("pour", func(*event.Step) error { return errors.New("no cup") })
	if err == nil || err.Error() != "no cup" {
		t.Errorf("Do returned %v", err)
	}
	want := []string{
		"lab boil started ", "lab boil progress 40", "lab boil progress 80", "lab boil done ",
		"lab pour started ", "lab pour failed no cup",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestForKeepsCluster(t *testing.T) {
	t.Parallel()
	var got string
	report := event.Reporter(func(e event.Event) { got = e.Cluster }).For("outer")
	report.For("inner").Start("x")
	if got != "inner" {
		t.Errorf("the event is of %q, want the innermost", got)
	}
}

func TestNilReporter(t *testing.T) {
	t.Parallel()
	var report event.Reporter
	step := report.For("lab").Start("boil")
	step.Progress("40")
	step.End(nil)
}

// TestStepConcurrent is for the race detector; exactly one End may count.
func TestStepConcurrent(t *testing.T) {
	t.Parallel()
	ends := 0
	step := event.Reporter(func(e event.Event) {
		if e.State == event.Done {
			ends++
		}
	}).Start("boil")
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { step.Progress("40"); step.End(nil) })
	}
	wg.Wait()
	if ends != 1 {
		t.Errorf("it ended %d times", ends)
	}
}
