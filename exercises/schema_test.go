package exercises_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/exercises"
)

var update = flag.Bool("update", false, "write the schemas in docs")

// TestSchemas compares the published schemas with the types.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for path, schema := range map[string]func() ([]byte, error){
		"../docs/pack.schema.json": exercises.PackSchema, "../docs/exercise.schema.json": exercises.ExerciseSchema,
	} {
		want, err := schema()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), string(want)); diff != "" {
			t.Errorf("%s: make golden writes it (-is +should be):\n%s", path, diff)
		}
	}
}
