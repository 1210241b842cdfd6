package profiles

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
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

// text takes no number for a text: 1.30 would be 1.3.
func (d *decoder) text(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.problem(n, "%s must be a text, not %s", said(path), kindOf(n))
		return
	}
	if n.Tag != "!!str" {
		d.problem(n, "%s must be a text, not %s; put it into quotes: \"%s\"", said(path), kindOf(n), clip(n.Value))
		return
	}
	v.SetString(n.Value)
	if c, ok := v.Interface().(checked); ok {
		if problem := c.problem(); problem != "" {
			d.problem(n, "%s", problem)
			return
		}
	}
	if p, ok := v.Interface().(placed); ok {
		v.SetString(p.in(d.dir))
	}
	if path != "" {
		d.origin(path, n)
	}
}

// free reads what lab does not look into.
func (d *decoder) free(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.problem(n, "%s must be a mapping, KEY: VALUE, not %s", said(path), kindOf(n))
		return
	}
	before := len(d.problems)
	tree, _ := d.tree(n).(map[string]any)
	if len(d.problems) == before {
		v.Set(reflect.ValueOf(tree))
	}
}

// tree returns what n stands for, in the types that JSON has.
func (d *decoder) tree(n *yaml.Node) any {
	defer d.leave()
	if n = d.enter(n); n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if _, twice := m[key.Value]; twice || key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
				d.problem(key, "the key %q is here twice, or is no text", clip(key.Value))
			}
			m[key.Value] = d.tree(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		s := make([]any, 0, len(n.Content))
		for _, child := range n.Content {
			s = append(s, d.tree(child))
		}
		return s
	}
	var scalar any
	if err := n.Decode(&scalar); err != nil {
		d.problem(n, "%q cannot be read: %v", clip(n.Value), err)
	}
	return scalar
}

// kindOf says what n is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!str":
		return "the text \"" + clip(n.Value) + "\""
	case "!!bool":
		return "the yes-or-no " + clip(n.Value)
	}
	return "the number " + clip(n.Value)
}

// clip keeps messages short, whatever is in a file.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// keysOf returns the keys of a struct, in its order.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = keyOf(t.Field(i))
	}
	return keys
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}
