package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// phrase is a phrase that this project does not use, and what it uses instead.
type phrase struct {
	*regexp.Regexp
	instead string
}

// phrases returns the phrases that no text may contain, in any case.
func phrases() []phrase {
	var all []phrase
	for _, p := range [][2]string{
		{`anew`, "again, recreate"},
		{`(makes?|made|making) (a|an|the|its|another|new|this|one|their|that|two|many|no) (new |kind |kwok |k3d |minikube )?clusters?`, "create a cluster"},
		{`(makes?|made|making) clusters`, "create clusters"},
		{`cluster (is|was|were) made`, "is created"},
		{`back to work|(bring|brings|brought) (it|them|this|that) back`, "start, repair"},
		{`brings? .{0,30} to what is asked`, "updates to match"},
		{`as (it (is|was) )?asked( for)?`, "as requested, up to date"},
		{`mend(s|ed|ing)?`, "fix"},
		{`go(es|ne|ing)? on with`, "resume, continue"},
		{`puts? (it |them |a cluster |the cluster )?aside|put above`, "move, stop, override"},
		{`somebody|someone else`, "another program, not managed by lab"},
		{`another lab (is|has|was|made|that|at|may|must)`, "another lab process"},
		{`what is there|(those|all|ones|clusters) that there are`, "existing, the existing ones"},
		{`(take|takes|taken|took|taking) (it |them |all |any |one )?(away|off)`, "remove, strip"},
		{`lets nobody in`, "requires authentication"},
		{`(that|which|it|this) (is|are) none`, "not a X, no X"},
		{`be had`, "is available"},
		{`in the way of`, "conflicts with"},
		{`the house|a room of labs`, "the repository, a class"},
		{`(a|the|USB) sticks?`, "USB drive"},
		{`manners?`, "conventions"},
		{`stor(y|ies)|Test\w*Stor(y|ies)\w*`, "end-to-end script test"},
		{`tells? whether`, "report whether"},
		{`of (its|their|his) own`, "its own, separate"},
		{`catalogues?`, "catalog"},
	} {
		all = append(all, phrase{regexp.MustCompile(`(?i)\b(` + p[0] + `)\b`), p[1]})
	}
	return all
}

// allowedPhrases returns lines that may contain a phrase: a part of a path, and a part of the line.
func allowedPhrases() [][2]string {
	return [][2]string{
		{"cmd/lab/words_test.go", ""},      // this list
		{"/testdata/failures/", ""},        // recorded output of tools
		{"", "`mend`"},                     // a key of the JSON of lab doctor, which must not change
		{"", `json:"mend,omitempty"`},      // the same
		{"", `"mend": "`},                  // the same
		{"cmd/internal/doctor/", "Mend"},   // its field
		{"cmd/internal/cli/", ".Mend"},     // its field
		{"cmd/internal/machine/", ".Mend"}, // its field
	}
}

// TestWords checks that no text of the repository contains one of the phrases: code, documentation,
// test data and scripts.
func TestWords(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	all, found := phrases(), 0
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // deleted, but not committed
				t.Error(err)
			}
			continue
		}
		found++
		for _, problem := range wording(all, name, string(text)) {
			t.Error(problem)
		}
	}
	if found < 300 {
		t.Errorf("found %d files only", found)
	}
}

// TestWordsCanFail checks that wording finds a phrase in every kind of text, and that it ignores
// exceptions and parts of words.
func TestWordsCanFail(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       int
	}{
		{"a.go", "package a\n\n// f tells whether it is so.\n", 1},
		{"docs/a.md", "Mend it, and make a cluster anew.\n", 3},
		{"a.golden", "hint: what is\nthere\n", 0},
		{"cmd/lab/testdata/script/a.txtar", "# somebody's cluster\n", 1},
		{".ci/a", "# A module of its own.\n", 1},
		{"a.go", "// I recommend the inventory: the history of storybooks.\n", 0},
		{"docs/output.md", "`items` with `mend`\n", 0},
		{"providers/kind/testdata/failures/port/tool", "starting anew\n", 0},
	} {
		if got := wording(phrases(), test.name, test.text); len(got) != test.want {
			t.Errorf("%s: %q: %d problems, want %d: %q", test.name, test.text, len(got), test.want, got)
		}
	}
}

// wording returns the phrases in the text of a file that the project does not use, each with its
// line.
func wording(phrases []phrase, name, text string) []string {
	if strings.IndexByte(text, 0) >= 0 {
		return nil // not a text
	}
	var problems []string
	for number, line := range strings.Split(text, "\n") {
		if isAllowed(name, line) {
			continue
		}
		for _, p := range phrases {
			if m := p.FindString(line); m != "" {
				problems = append(problems, fmt.Sprintf("%s:%d: %q: use: %s", name, number+1, m, p.instead))
			}
		}
	}
	return problems
}

func isAllowed(name, line string) bool {
	for _, a := range allowedPhrases() {
		if strings.Contains("/"+name, a[0]) && strings.Contains(line, a[1]) {
			return true
		}
	}
	return false
}
