//go:build e2e && unix

package kwok

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme types what the README says, word for word, and compares what lab prints
// with what the README says that it prints, but for times and random names.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := newPerson(t)
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, call := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, want, _ := strings.Cut(strings.TrimRight(call, "\n"), "\n")
			args, ok := strings.CutPrefix(line, "bin/lab ")
			if !ok {
				t.Fatalf("%q is no command that this test can run", line)
			}
			got := strings.TrimRight(p.must(strings.Fields(args)...), "\n")
			if diff := cmp.Diff(steady(want), steady(got)); diff != "" {
				t.Errorf("%s (-README +lab):\n%s", line, diff)
			}
			commands++
		}
	}
	if commands < 5 {
		t.Errorf("the README has %d commands only", commands)
	}
}

// steady replaces what is another each time: ages, random parts of names, and the
// lines in which kubectl reports how far it is.
func steady(s string) string {
	s = regexp.MustCompile(`(?m)^Waiting for .*\n`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`\b\d+s\b`).ReplaceAllString(s, "1s")
	s = regexp.MustCompile(`web-[0-9a-f]+-[0-9a-z]{5}`).ReplaceAllString(s, "web-1")
	return regexp.MustCompile(`(?m)[ \t]+`).ReplaceAllString(s, " ")
}
