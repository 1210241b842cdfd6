package exercises_test

import (
	"testing"

	"github.com/clusterlab-dev/lab/exercises"
)

// TestBuiltin checks that the builtin pack is valid.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	pack, err := exercises.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(pack.Exercises) < 4 {
		t.Errorf("the pack has only %d exercises", len(pack.Exercises))
	}
}

// TestHintsAreProven checks that each hint of the builtin pack has a wrong answer that gets it.
func TestHintsAreProven(t *testing.T) {
	t.Parallel()
	pack, err := exercises.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range pack.Exercises {
		if unproven := e.UnprovenHints(); len(unproven) > 0 {
			t.Errorf("exercise %s: no wrong answer gets the hints %q; add one, or remove hints that no student can get", e.Name, unproven)
		}
	}
}
