package learning

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/exercises"
)

// TestNext checks that a student who starts in the middle of a pack continues there, and returns to the exercises that
// were left out when no other is left.
func TestNext(t *testing.T) {
	t.Parallel()
	pack := &exercises.Pack{Name: "p"}
	for _, name := range []string{"one", "two", "three"} {
		pack.Exercises = append(pack.Exercises, &exercises.Exercise{Pack: "p", Name: name})
	}
	l := &Learning{Dir: filepath.Join(t.TempDir(), "learning"), Inventory: &inventory.Inventory{Now: time.Now}}
	for _, step := range []struct{ event, exercise, next string }{
		{"", "", "one"},
		{eventStarted, "two", "two"},
		{eventChecked, "two", "two"},
		{eventPassed, "two", "three"},
		{eventStarted, "three", "three"},
		{eventHalf, "three", "one"},
		{eventStarted, "two", "one"}, // again
		{eventPassed, "one", ""},
	} {
		if step.event != "" {
			if err := l.progress().append(record{Event: step.event, Pack: "p", Exercise: step.exercise}); err != nil {
				t.Fatal(err)
			}
		}
		next, err := l.Next(pack)
		name := ""
		if next != nil {
			name = next.Name
		}
		if err != nil || name != step.next {
			t.Errorf("after %s %s: next is %q, want %q, %v", step.event, step.exercise, name, step.next, err)
		}
	}
}
