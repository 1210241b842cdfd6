package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// located returns what the parser found wrong with a file, each as compilers say it and
// editors follow it: FILE:LINE:COLUMN: MESSAGE. The parser knows the line alone; the
// column is that of the key that it names or, where it names none, of the first word.
func located(path string, text []byte, err error) []string {
	found := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if several, ok := errors.AsType[*yaml.TypeError](err); ok {
		found = several.Errors
	}
	lines := strings.Split(string(text), "\n")
	withLine := regexp.MustCompile(`^line (\d+): (.*)`)
	grammar := regexp.MustCompile(`^did not find expected (node content|key|<document start>|'-' indicator|',' or)`)
	unknown := regexp.MustCompile(`^field (\S+) not found in type .*`)
	for i, message := range found {
		m := withLine.FindStringSubmatch(message)
		if m == nil {
			found[i] = path + ":1:1: " + message
			continue
		}
		n, _ := strconv.Atoi(m[1])
		if grammar.MatchString(m[2]) {
			n++ // these it counts from 0
		}
		n = min(max(n, 1), len(lines))
		line := lines[n-1]
		column := len(line) - len(strings.TrimLeft(line, " ")) + 1
		if key := unknown.FindStringSubmatch(m[2]); key != nil {
			m[2] = fmt.Sprintf("there is no key %q here", key[1])
			column = max(strings.Index(line, key[1])+1, 1)
		}
		found[i] = fmt.Sprintf("%s:%d:%d: %s", path, n, column, m[2])
	}
	return found
}
