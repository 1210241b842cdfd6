package strict

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func (d *decoder) number(n *yaml.Node, v reflect.Value, path string) {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
		d.problem(n, "%s must be a whole number, not %s", said(path), kindOf(n))
		return
	}
	d.origin(path, n)
	v.SetInt(int64(i))
}

func (d *decoder) yesNo(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.problem(n, "%s must be true or false, not %s", said(path), kindOf(n))
		return
	}
	d.origin(path, n)
	v.SetBool(strings.EqualFold(n.Value, "true"))
}

// text rejects numbers: 1.30 would become 1.3.
func (d *decoder) text(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.problem(n, "%s must be a string, not %s", said(path), kindOf(n))
		return
	}
	if n.Tag != "!!str" {
		d.problem(n, "%s must be a string, not %s; quote it: \"%s\"", said(path), kindOf(n), Clip(n.Value))
		return
	}
	v.SetString(n.Value)
	if c, ok := v.Interface().(Checked); ok {
		if problem := c.Problem(); problem != "" {
			d.problem(n, "%s", problem)
			return
		}
	}
	if p, ok := v.Interface().(Placed); ok {
		v.SetString(p.In(d.dir))
	}
	if path != "" {
		d.origin(path, n)
	}
}

// positioned reads a text with its position.
func (d *decoder) positioned(n *yaml.Node, to *Text, path string) {
	before := len(d.problems)
	d.text(n, reflect.ValueOf(&to.Value).Elem(), path)
	if len(d.problems) > before {
		return
	}
	to.Line, to.Column = n.Line, n.Column
	switch n.Style {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		to.Column++
	case yaml.LiteralStyle, yaml.FoldedStyle:
		to.Line, to.Column = n.Line+1, 1 // the parser does not keep the indentation
	}
}

// free checks a mapping that lab does not interpret. The caller reads it.
func (d *decoder) free(n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		d.problem(n, "%s must be a mapping (KEY: VALUE), not %s", said(path), kindOf(n))
		return
	}
	d.tree(n)
}

// tree reports the problems of a tree without a format: its size, and invalid or duplicate keys.
func (d *decoder) tree(n *yaml.Node) {
	defer d.leave()
	if n = d.enter(n); n == nil {
		return
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if seen[child.Value] || child.Kind != yaml.ScalarNode {
				d.problem(child, "the key %q is a duplicate or not a string", Clip(child.Value))
			}
			seen[child.Value] = true
			continue
		}
		d.tree(child)
	}
}

// kindOf describes n for messages.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!str":
		return "the string \"" + Clip(n.Value) + "\""
	case "!!bool":
		return "the boolean " + Clip(n.Value)
	}
	return "the number " + Clip(n.Value)
}

// Clip shortens text for messages. It first removes user names and passwords of URLs, which cannot be
// recognized after the cut.
func Clip(s string) string {
	s = fault.Redact(s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// keysOf returns the keys of a struct, in the order of its fields.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = KeyOf(t.Field(i))
	}
	return keys
}

// KeyOf returns the key of a field in a file.
func KeyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}
