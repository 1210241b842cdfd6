// Package console reads examples of terminal sessions from Markdown: blocks marked as console, in which each command
// follows a prompt, and its output follows the command.
package console

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Call is a command and its output on stdout. Prints is "" if the document does not show the output.
type Call struct {
	Line   string
	Prints string
}

// Read returns the calls of a document in order.
func Read(path string) ([]Call, error) {
	text, err := os.ReadFile(path)
	return Parse(string(text)), err
}

// Parse returns the calls of a text in order. A command ends with its line, unless a quoted text continues on the next.
func Parse(text string) []Call {
	var calls []Call
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for _, shown := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, prints, more := strings.Cut(strings.TrimRight(shown, "\n"), "\n")
			for more && strings.Count(line, "'")%2 == 1 {
				var next string
				next, prints, more = strings.Cut(prints, "\n")
				line += "\n" + next
			}
			calls = append(calls, Call{line, prints})
		}
	}
	return calls
}

// Check runs the command line of a call, and compares its output with that of the call, if the document shows it. It ends
// the test if the command fails.
func (c Call) Check(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", c.Line, err, out.String(), said.String())
	}
	if diff := cmp.Diff(Steady(c.Prints), Steady(out.String())); c.Prints != "" && diff != "" {
		t.Errorf("%s (-page +printed):\n%s", c.Line, diff)
	}
}

// Steady replaces everything that differs between runs: ages, sizes, random parts of names, and kubectl's progress lines.
func Steady(s string) string {
	s = regexp.MustCompile(`(?m)^Waiting for .*\n`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`\b\d+s\b`).ReplaceAllString(s, "1s")
	s = regexp.MustCompile(`\b\d+(\.\d)? [kMG]B\b`).ReplaceAllString(s, "1 MB")
	s = regexp.MustCompile(`web-[0-9a-f]+-[0-9a-z]{5}`).ReplaceAllString(s, "web-1")
	return regexp.MustCompile(`(?m)[ \t]+`).ReplaceAllString(strings.TrimRight(s, "\n"), " ")
}
