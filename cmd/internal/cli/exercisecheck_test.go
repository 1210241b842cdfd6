package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/exercises"
)

// TestHintNamesTheCauseFirst checks that a note about the wrong namespace stands above the advice of the pack.
func TestHintNamesTheCauseFirst(t *testing.T) {
	t.Parallel()
	l := lesson{words: phrasesOf("en")}
	hint := ExerciseHint{Check: "exists", Step: 1, Steps: 2, Text: "Create a Deployment.", Notes: []string{"It is in namespace `default`."}}
	streams, out, _ := ui.Test(80, nil)
	if err := ui.PrintView(streams.Out, l.hintView(hint, "A Deployment")); err != nil {
		t.Fatal(err)
	}
	note, text := strings.Index(out.String(), "It is in namespace"), strings.Index(out.String(), "Create a Deployment")
	if note < 0 || text < note {
		t.Errorf("the note is not above the hint:\n%s", out)
	}
}

// TestNoHint checks what hint says if no check fails.
func TestNoHint(t *testing.T) {
	t.Parallel()
	pack := &exercises.Pack{Name: "p"}
	for _, name := range []string{"one", "two"} {
		pack.Exercises = append(pack.Exercises, &exercises.Exercise{Pack: "p", Name: name})
	}
	const header, started = `{"apiVersion":"lab/v1alpha1","kind":"Progress"}` + "\n", `{"event":"started","pack":"p","exercise":"one"}` + "\n"
	one, two := `{"event":"passed","pack":"p","exercise":"one"}`+"\n", `{"event":"passed","pack":"p","exercise":"two"}`+"\n"
	for name, test := range map[string]struct {
		progress, state string
		results         exercises.Results
		want            string
	}{
		"right":          {started, learning.StateStarted, nil, "Finish the exercise: `lab exercise check --pack p`"},
		"right so far":   {started, learning.StateStarted, exercises.Results{{State: exercises.Pending}}, "right so far"},
		"passed":         {started + one, learning.StatePassed, nil, "Already passed. Next: `lab exercise start two --pack p`"},
		"passed, acts":   {started + one, learning.StatePassed, exercises.Results{{State: exercises.Pending}}, "Already passed."},
		"all are passed": {started + one + two, learning.StatePassed, nil, "Already passed. You have done all exercises."},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "progress.jsonl"), []byte(header+test.progress), 0o600); err != nil {
			t.Fatal(err)
		}
		c := &command{Env: Env{Learning: &learning.Learning{Dir: dir}}}
		l := lesson{Pack: pack, words: phrasesOf("en"), flags: " --pack p"}
		got := c.withoutHint(l, learning.Hint{Report: learning.Report{Results: test.results}, State: test.state})
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
