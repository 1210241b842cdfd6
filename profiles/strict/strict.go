// Package strict reads YAML files of a format that a Go type defines. It rejects unknown keys, and
// reports all problems of a file at once with line and column. Tags of fields define the format:
//
//	json  the key            want  the only valid value   need  whether it is required
//	max   the highest value  doc   the description        (numbers are not negative)
//
// Keys at the top that start with x- are ignored. Methods of a type check its values: see [Checked],
// [Shortened] and [Placed]. A struct with a method Problem is checked as a whole.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest size of a file in bytes, more than a file written by hand has.
const MaxSize = 1 << 20

// Origins are the origins of values by their paths, such as "lab.yaml:6" for "cluster.workers".
type Origins map[string]string

// Checked is a string that can be invalid.
type Checked interface {
	Problem() string // what is wrong with it, or ""
	Pattern() string // a regular expression for the schema, which may let more through
}

// Placed is a string that depends on the directory of its file.
type Placed interface{ In(dir string) string }

// Shortened is a struct with a string as its short form: the field that Short points to.
type Shortened interface{ Short() any }

// Keyed is an item of a list that has a path: that of the list and its key.
type Keyed interface{ Key() string }

// Text is a string that knows its position in the file. Other types embed it.
type Text struct {
	Value        string
	Line, Column int
}

func (t *Text) text() *Text { return t }

type positioned interface{ text() *Text }

// Decode fills into, a pointer to a struct, from a file with one document. file is its name in
// problems, and relative paths start at dir.
func Decode(file, dir string, data []byte, into any) (Origins, Problems) {
	d := &decoder{file: file, dir: dir, origins: Origins{}}
	if len(data) > MaxSize {
		return d.origins, Problems{{File: file, Message: fmt.Sprintf("the file has %d bytes; the limit is %d", len(data), MaxSize)}}
	}
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	err := documents.Decode(&root)
	v := reflect.ValueOf(into).Elem()
	switch {
	case errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0:
		return d.origins, Problems{{File: file, Message: "the file is empty; it must start with " + start(v.Type())}}
	case err != nil:
		return d.origins, Problems{Syntax(file, err)}
	}
	d.value(root.Content[0], v, "")
	if err := documents.Decode(&second); err == nil {
		d.problem(&second, "a second document starts here; a file must contain one")
	} else if !errors.Is(err, io.EOF) {
		d.problems = append(d.problems, Syntax(file, err))
	}
	return d.origins, d.problems
}

// start returns the keys that have only one value.
func start(t reflect.Type) string {
	var all []string
	for i := range t.NumField() {
		if want := t.Field(i).Tag.Get("want"); want != "" {
			all = append(all, KeyOf(t.Field(i))+": "+want)
		}
	}
	return strings.Join(all, " and ")
}
