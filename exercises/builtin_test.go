package exercises_test

import (
	"os"
	"regexp"
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

// TestDocsSayWhatIsHalf checks that the table of the documentation says which exercises need containers that run.
func TestDocsSayWhatIsHalf(t *testing.T) {
	t.Parallel()
	pack, err := exercises.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../docs/exercises.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?)` \\|.*\\| (complete|half) \\|$").FindAllStringSubmatch(string(docs), -1) {
		rows[row[1]] = row[2]
	}
	for _, e := range pack.Exercises {
		want := "complete"
		if e.NeedsPods() {
			want = "half"
		}
		if rows[e.Name] != want {
			t.Errorf("docs/exercises.md says that %s is %q on kwok, want %q", e.Name, rows[e.Name], want)
		}
	}
}
