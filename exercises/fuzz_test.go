package exercises_test

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/profiles/strict"
)

// FuzzLoad checks that any content of the files of a pack is either valid or a list of problems.
func FuzzLoad(f *testing.F) {
	f.Add(packText, exerciseText, startText, textText)
	f.Add("x-a: &a [*a]\n", "checks: [{id: a, pass: '[[[['}]", "a: &a {<<: *a}\n---\n- 1", "# \n```\n### a/b\n---\n## \n```")
	f.Fuzz(func(t *testing.T, pack, exercise, start, text string) {
		files := smallPack()
		files["pack.yaml"], files["one/exercise.yaml"], files["one/start.yaml"], files["one/ru.md"] = pack, exercise, start, text
		_, err := load(files)
		if problems, ok := errors.AsType[strict.Problems](err); err != nil && (!ok || len(problems) == 0) {
			t.Errorf("error %v, want problems", err)
		}
	})
}
