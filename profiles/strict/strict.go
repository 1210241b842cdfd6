// Package strict decodes the YAML files that people write for lab. It reports all problems of a file at
// once, each with its line and column: unknown, duplicate and missing keys, values of another type, and
// files that are too large.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v3"
	helmyaml "sigs.k8s.io/yaml"
)

// The limits of a file, far above what a person writes.
const (
	MaxSize  = 1 << 20 // bytes
	maxNodes = 20_000  // counts aliases each time: a file of a kilobyte can expand to gigabytes
	maxDepth = 64
)

// Positions are the positions of the values of a file by their paths, such as "cluster.workers" or
// "addons[0].name". A key that is missing or null has no position.
type Positions map[string]Position

// Position is a place in a file. Both numbers start at 1.
type Position struct{ Line, Column int }

// Checked is a string that can be invalid.
type Checked interface {
	Problem() string // what is wrong with it, or ""
	Pattern() string // a regular expression for the schema, which may let more through
}

// Placed is a string that depends on the directory of its file.
type Placed interface{ In(dir string) string }

// Shortened is a struct with a string as its short form: the field that Short points to.
type Shortened interface{ Short() any }

// Text is a string that knows its position in the file. Other types embed it.
type Text struct {
	Value        string
	Line, Column int
}

func (t *Text) text() *Text { return t }

type positioned interface{ text() *Text }

// decoder fills a value from a YAML tree. It continues after a problem, to report all of them.
type decoder struct {
	file     string
	dir      string // relative paths start here
	at       Positions
	problems Problems
	nodes    int
	store    []func() // stores the values of an Object
}

// Decode decodes the only document of a file into the value that into points to, or into an [Object].
// file is its name in problems, and relative paths start at dir. If there are problems, the value is
// incomplete.
//
// A key that is missing or null leaves its value unchanged. A map gains the keys of the file. Merge keys
// (<<) work everywhere, and keys at the top that start with x- are ignored. A string must be one in the
// file, too: 1.30 would become 1.3. Tags of fields define the format:
//
//	json  the key            want  the only valid value   need  whether it is required
//	max   the highest value  doc   the description        (numbers with max are not negative)
//
// Methods of a type check its values: see [Checked], [Shortened] and [Placed]. A struct with a method
// Problem is checked as a whole. Values of a map of any are what Helm reads from a file of values: it reads YAML 1.1, where no is false and a date is a
// string, and whole numbers as floating-point numbers, as JSON does.
func Decode(file, dir string, data []byte, into any) (Positions, Problems) {
	d := &decoder{file: file, dir: dir, at: Positions{}}
	v := reflect.ValueOf(into)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	root := d.document(data, v)
	if root == nil {
		return d.at, d.problems
	}
	var raw any
	err := helmyaml.Unmarshal(data, &raw)
	d.value(root, v, raw, "")
	if err != nil && len(d.problems) == 0 {
		d.problems = Problems{syntax(file, data, err)}
	}
	if len(d.problems) == 0 {
		for _, store := range d.store {
			store()
		}
	}
	return d.at, d.problems
}

func (d *decoder) problem(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// document returns the root of the only document of a file, or nil if a problem prevents its decoding.
func (d *decoder) document(data []byte, v reflect.Value) *yaml.Node {
	if len(data) > MaxSize {
		d.problems = Problems{{File: d.file, Message: fmt.Sprintf("the file has %d bytes; the limit is %d", len(data), MaxSize)}}
		return nil
	}
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	switch err := documents.Decode(&root); {
	case errors.Is(err, io.EOF) || err == nil && (len(root.Content) == 0 || isNull(root.Content[0])):
		d.problems = Problems{{File: d.file, Message: "the file is empty" + head(v)}}
		return nil
	case err != nil:
		d.problems = Problems{syntax(d.file, data, err)}
		return nil
	}
	switch err := documents.Decode(&second); {
	case err == nil:
		d.problem(&second, "a second document starts here; a file must contain one")
	case !errors.Is(err, io.EOF):
		d.problems = append(d.problems, syntax(d.file, data, err))
	}
	if !d.fits(root.Content[0], 1) {
		return nil
	}
	return root.Content[0]
}

// fits reports whether a tree is within the limits, and the problems of its keys.
func (d *decoder) fits(n *yaml.Node, depth int) bool {
	if d.nodes++; d.nodes > maxNodes || depth > maxDepth {
		d.problem(n, "the file is too large: the limit is %d values in %d levels", maxNodes, maxDepth)
		return false
	}
	n = follow(n)
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			if !d.fits(child, depth+1) {
				return false
			}
			continue
		}
		switch {
		case child.Kind != yaml.ScalarNode:
			d.problem(child, "a key must be a string, not %s", kindOf(follow(child)))
		case seen[child.Value] && child.Tag != "!!merge":
			d.problem(child, "duplicate key %q", Clip(child.Value))
		}
		seen[child.Value] = true
	}
	return true
}
