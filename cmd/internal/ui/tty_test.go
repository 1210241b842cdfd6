package ui

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
)

// TestResize checks frames after a resize: a terminal that gets narrower wraps lines, so that the
// area has more rows than were drawn.
func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal := &screen{width: 80, height: 24}
		progress := newTestProgress(terminal, terminal.size, utf8(), ModeTTY)
		report := event.Reporter(progress.Report)
		steps := []*event.Step{
			report.Start("Pulling the image of the node"),
			report.Start("Installing ingress-nginx"),
		}
		for _, step := range steps {
			step.Progress("so much to say that it takes all of the line and then some more")
		}
		advance(10 * time.Second)
		var seen strings.Builder
		for _, width := range []int{25, 60, 10, 80} {
			terminal.resize(width)
			advance(frame)
			fmt.Fprintf(&seen, "--- %d columns\n%s", width, terminal)
		}
		progress.Close()
		golden(t, "tty-resize.golden", seen.String())
	})
}

// TestMoreStepsThanRows checks that the area fits on the screen, because the cursor cannot
// move above it.
func TestMoreStepsThanRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal := &screen{width: 40, height: 5}
		progress := newTestProgress(terminal, terminal.size, utf8(), ModeTTY)
		report := event.Reporter(progress.Report)
		var steps []*event.Step
		for i := range 7 {
			steps = append(steps, report.Start(fmt.Sprintf("Installing addon %d", i)))
		}
		advance(time.Second)
		var seen strings.Builder
		fmt.Fprintf(&seen, "--- all run\n%s", terminal)
		for _, step := range steps {
			step.End(nil)
		}
		progress.Close()
		fmt.Fprintf(&seen, "--- all done\n%s", terminal)
		golden(t, "tty-low.golden", seen.String())
	})
}

func TestMarksAreColored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, _, stderr := Test(80, utf8())
		progress := NewProgress(streams, ModeTTY, ProgressOptions{})
		report := event.Reporter(progress.Report)
		report.Start("Good").End(nil)
		report.Start("Bad").End(errors.New("broken"))
		progress.Warn("careful")
		progress.Close()
		for _, want := range []string{
			"\x1b[32m✓\x1b[0m Good\n",
			"\x1b[31m✗\x1b[0m Bad  \x1b[2mbroken\x1b[0m\n",
			"\x1b[33mwarning:\x1b[0m careful\n",
		} {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("no %q in %q", want, stderr)
			}
		}
	})
}

// TestProgressWithoutEvents checks that a progress without events writes nothing and starts
// no ticker.
func TestProgressWithoutEvents(t *testing.T) {
	for _, mode := range []Mode{ModeTTY, ModePlain, ModeJSON, ModeQuiet} {
		streams, _, stderr := Test(80, utf8())
		progress := NewProgress(streams, mode, ProgressOptions{})
		progress.Close()
		if stderr.Len() > 0 || progress.quit != nil {
			t.Errorf("%s: wrote %q, ticks: %v", mode, stderr, progress.quit != nil)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{ModeTTY, ModePlain, ModeJSON, ModeQuiet} {
		terminal := &screen{width: 40, height: 5}
		progress := newTestProgress(terminal, terminal.size, utf8(), mode)
		report := event.Reporter(progress.Report)
		var work sync.WaitGroup
		for i := range 10 {
			work.Go(func() {
				step := report.Start(fmt.Sprintf("Step %d", i))
				progress.Note("note %d", i)
				step.Progress("moving")
				step.End(nil)
			})
		}
		work.Go(progress.Close)
		work.Wait()
		progress.Close()
		if terminal.noCursor {
			t.Errorf("%s: the cursor is still hidden", mode)
		}
	}
}

// TestUnmatchedEvents checks that two steps of the same name, and an end without a start, leave
// no running step on the screen.
func TestUnmatchedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal := &screen{width: 40, height: 24}
		progress := newTestProgress(terminal, terminal.size, utf8(), ModeTTY)
		report := event.Reporter(progress.Report)
		first, second := report.Start("Pulling"), report.Start("Pulling")
		second.End(nil)
		first.End(nil)
		progress.Report(event.Event{Step: "Late", State: event.Progress, Elapsed: 5 * time.Second})
		progress.Report(event.Event{Step: "Late", State: event.Done, Elapsed: 6 * time.Second})
		progress.Report(event.Event{Step: "Unseen", State: event.Failed})
		want := "✓ Pulling\n✓ Pulling\n✓ Late  6s\n✗ Unseen\n(cursor shown, row 4, column 0)\n"
		if got := terminal.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		progress.Close()
	})
}
