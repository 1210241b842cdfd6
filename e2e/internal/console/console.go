// Package console reads what documentation shows of a terminal: blocks of Markdown marked as console, in which each
// command follows a prompt, and is followed by what it prints.
package console

import (
	"os"
	"regexp"
	"strings"
)

// Call is a command as a person types it, and what it prints to stdout; "" where that is not shown.
type Call struct {
	Line   string
	Prints string
}

// Read returns the calls of a document in the order in which they are shown.
func Read(path string) ([]Call, error) {
	text, err := os.ReadFile(path)
	return parse(string(text)), err
}

func parse(text string) []Call {
	var calls []Call
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for _, shown := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, prints, _ := strings.Cut(strings.TrimRight(shown, "\n"), "\n")
			calls = append(calls, Call{line, prints})
		}
	}
	return calls
}

// Steady replaces in what is printed all that is another each time: ages, random parts of names, and the lines in which
// kubectl reports how far it is.
func Steady(s string) string {
	s = regexp.MustCompile(`(?m)^Waiting for .*\n`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`\b\d+s\b`).ReplaceAllString(s, "1s")
	s = regexp.MustCompile(`web-[0-9a-f]+-[0-9a-z]{5}`).ReplaceAllString(s, "web-1")
	return regexp.MustCompile(`(?m)[ \t]+`).ReplaceAllString(strings.TrimRight(s, "\n"), " ")
}
