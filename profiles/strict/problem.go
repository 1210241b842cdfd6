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

// String returns FILE:LINE:COLUMN: MESSAGE, as compilers print it.
func (p Problem) String() string {
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

// Err returns the problems in the order of the file with a hint, or nil if there are none.
func (ps Problems) Err(hint string) error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return fault.WithHint(ps, "%s", hint)
}

// Syntax returns the problem for an error of the YAML parser, which contains the line at best.
func Syntax(file string, err error) Problem {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	p := Problem{File: file, Message: "invalid YAML: " + message}
	if m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(message); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Column, p.Message = 1, "invalid YAML: "+m[2]
	}
	return p
}
