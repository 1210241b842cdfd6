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
