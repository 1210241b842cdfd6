package strict

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Problem is one problem of a file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1; 0 for the file as a whole
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// String returns FILE:LINE:COLUMN: MESSAGE in one line, as compilers print it.
func (p Problem) String() string {
	p.Message = strings.ReplaceAll(p.Message, "\n", " ") // it may quote a value of several lines
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems is the error of a file with at least one problem. It is ErrInvalid.
type Problems []Problem

// Error returns one line per problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns ErrInvalid.
func (ps Problems) Unwrap() error { return fault.ErrInvalid }

// Err returns the problems in the order of the file, each once, with a hint, or nil if there are none.
func (ps Problems) Err(hint string) error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return fault.WithHint(slices.Compact(ps), "%s", hint) // an anchor is decoded once for each of its aliases
}

// Syntax returns the problem for an error of the YAML parser, which contains the line at best.
func Syntax(file string, err error) Problem {
	_, message, found := strings.Cut(err.Error(), "yaml: ")
	if !found {
		message = err.Error()
	}
	m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(message)
	if m == nil {
		return Problem{File: file, Message: "invalid YAML: " + message}
	}
	number, _ := strconv.Atoi(m[1])
	fromZero := regexp.MustCompile(`^did not find expected (node content|key|<document start>|'-' indicator|',' or)`)
	if fromZero.MatchString(m[2]) {
		number++ // go.yaml.in/yaml/v3 counts the lines of these errors from 0
	}
	return Problem{file, max(number, 1), 1, "invalid YAML: " + m[2]}
}

// syntax is Syntax with the column of the line's first word.
func syntax(file string, data []byte, err error) Problem {
	p := Syntax(file, err)
	lines := strings.Split(string(data), "\n")
	if p.Line = min(p.Line, len(lines)); p.Line > 0 {
		line := lines[p.Line-1]
		p.Column = len(line) - len(strings.TrimLeft(line, " ")) + 1
	}
	return p
}
