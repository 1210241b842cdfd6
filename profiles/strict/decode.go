package strict

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// value decodes n into v. raw is the value that Helm reads from n, and path the path of v.
func (d *decoder) value(n *yaml.Node, v reflect.Value, raw any, path string) {
	n = follow(n)
	if isNull(n) {
		return
	}
	before := len(d.problems)
	d.at[path] = Position{n.Line, n.Column}
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), raw, path)
	case v.Kind() == reflect.Struct || v.Type() == reflect.TypeFor[Object]():
		d.object(n, v, raw, path)
	case v.Kind() == reflect.Slice:
		d.list(n, v, raw, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, raw, path)
	default:
		d.scalar(n, v, path)
	}
	if c, ok := v.Interface().(interface{ Problem() string }); ok && len(d.problems) == before {
		if problem := c.Problem(); problem != "" {
			d.problem(n, "%s", problem)
			return
		}
	}
	if p, ok := v.Interface().(Placed); ok && len(d.problems) == before {
		v.SetString(p.In(d.dir))
	}
}

// object decodes a mapping whose keys are the fields of v.
func (d *decoder) object(n *yaml.Node, v reflect.Value, raw any, path string) {
	if v.CanAddr() {
		if to, ok := v.Addr().Interface().(positioned); ok {
			d.positioned(n, to.text(), path)
			return
		}
		if to, ok := v.Addr().Interface().(Shortened); ok && n.Kind == yaml.ScalarNode {
			d.value(n, reflect.ValueOf(to.Short()).Elem(), raw, path)
			return
		}
	}
	if !d.isMapping(n, path) {
		return
	}
	fields := fieldsOf(v)
	values, _ := raw.(map[string]any)
	seen := map[string]bool{}
	for _, p := range d.pairs(n) {
		key := p.key.Value
		seen[key] = !isNull(follow(p.value))
		switch i := slices.IndexFunc(fields, func(f field) bool { return f.key == key }); {
		case i >= 0:
			d.field(p.value, fields[i], values[key], Join(path, key))
		case path != "" || !strings.HasPrefix(key, "x-"):
			d.unknown(p.key, fields, path)
		}
	}
	for _, f := range fields {
		switch {
		case seen[f.key]:
		case f.want != "":
			d.problem(n, "%s is missing: %s: %s", Join(path, f.key), f.key, f.want)
		case f.tag.Get("need") != "":
			d.problem(n, "%s is missing", Join(path, f.key))
		}
	}
}

// positioned decodes a string with its position.
func (d *decoder) positioned(n *yaml.Node, to *Text, path string) {
	d.scalar(n, reflect.ValueOf(&to.Value).Elem(), path)
	to.Line, to.Column = n.Line, n.Column
	switch n.Style {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		to.Column++
	case yaml.LiteralStyle, yaml.FoldedStyle:
		to.Line, to.Column = n.Line+1, 1 // the parser does not keep the indentation
	}
}

// field decodes one value, and checks what its tags say.
func (d *decoder) field(n *yaml.Node, f field, raw any, path string) {
	before := len(d.problems)
	d.value(n, f.value, raw, path)
	if len(d.problems) > before || isNull(follow(n)) {
		return // one problem per value
	}
	if f.want != "" && f.value.String() != f.want {
		d.problem(n, "%s must be %s, not %q", path, f.want, Clip(f.value.String()))
	}
	if f.into.IsValid() {
		d.store = append(d.store, func() { f.into.Set(f.value) })
	}
	if highest, err := strconv.ParseInt(f.tag.Get("max"), 10, 64); err == nil && (f.value.Int() < 0 || f.value.Int() > highest) {
		d.problem(n, "%s must be between 0 and %d, not %d", path, highest, f.value.Int())
	}
}

// unknown reports an unknown key, with the one that was most likely meant.
func (d *decoder) unknown(key *yaml.Node, fields []field, path string) {
	where := ""
	if path != "" {
		where = " in " + path
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	if near := fault.Nearest(key.Value, known); near != "" {
		d.problem(key, "unknown key %q%s; did you mean %s?", Clip(key.Value), where, near)
		return
	}
	d.problem(key, "unknown key %q%s; known keys: %s", Clip(key.Value), where, strings.Join(known, ", "))
}

// list decodes a list. It replaces the items of v.
func (d *decoder) list(n *yaml.Node, v reflect.Value, raw any, path string) {
	if n.Kind != yaml.SequenceNode {
		d.problem(n, "%s must be a list ([A, B]), not %s", named(path), kindOf(n))
		return
	}
	values, _ := raw.([]any)
	values = append(values, make([]any, len(n.Content))...) // Helm's reader may have failed
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, child := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if isNull(follow(child)) {
			d.problem(child, "%s is empty", at)
		}
		d.value(child, v.Index(i), values[i], at)
	}
}

// mapping decodes a mapping with any keys. It adds them to v, in a new map.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, raw any, path string) {
	if !d.isMapping(n, path) {
		return
	}
	all := reflect.MakeMap(v.Type())
	for _, key := range v.MapKeys() {
		all.SetMapIndex(key, v.MapIndex(key))
	}
	v.Set(all)
	values, _ := raw.(map[string]any)
	if v.Type().Elem().Kind() == reflect.Interface {
		for key, value := range values {
			v.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(&value).Elem())
		}
		return
	}
	for _, p := range d.pairs(n) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(p.value, item, values[p.key.Value], Join(path, p.key.Value))
		v.SetMapIndex(reflect.ValueOf(p.key.Value), item)
	}
}

func (d *decoder) isMapping(n *yaml.Node, path string) bool {
	if n.Kind != yaml.MappingNode {
		d.problem(n, "%s must be a mapping (KEY: VALUE), not %s", named(path), kindOf(n))
	}
	return n.Kind == yaml.MappingNode
}

// pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs returns the keys of a mapping with their values. As YAML defines it, the mapping's own keys
// override those of its merge keys.
func (d *decoder) pairs(n *yaml.Node) []pair {
	var all, merged []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch p := (pair{n.Content[i], n.Content[i+1]}); {
		case p.key.Tag == "!!merge":
			merged = append(merged, d.merged(p.value)...)
		case p.key.Kind == yaml.ScalarNode: // fits reports the others
			all = append(all, p)
		}
	}
	for _, p := range merged {
		if !slices.ContainsFunc(all, func(q pair) bool { return q.key.Value == p.key.Value }) {
			all = append(all, p)
		}
	}
	return all
}

// merged returns the pairs of the value of a merge key: a mapping, or a list of mappings of which earlier
// ones override later ones.
func (d *decoder) merged(n *yaml.Node) []pair {
	var all []pair
	switch m := follow(n); m.Kind {
	case yaml.MappingNode:
		all = d.pairs(m)
	case yaml.SequenceNode:
		for _, child := range m.Content {
			all = append(all, d.merged(child)...)
		}
	default:
		d.problem(n, "the merge key << must be a mapping or a list of mappings, not %s", kindOf(m))
	}
	return all
}

// scalar decodes a number, a boolean or a string.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	tag := n.Tag
	if n.Kind != yaml.ScalarNode {
		tag = ""
	}
	i, err := strconv.Atoi(n.Value)
	switch kind := v.Kind(); {
	case kind == reflect.Int && tag == "!!int" && err == nil:
		v.SetInt(int64(i))
	case kind == reflect.Int:
		d.problem(n, "%s must be a whole number, not %s", named(path), kindOf(n))
	case kind == reflect.Bool && tag == "!!bool":
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case kind == reflect.Bool:
		d.problem(n, "%s must be true or false, not %s", named(path), kindOf(n))
	case tag == "!!str":
		v.SetString(n.Value)
	case tag == "":
		d.problem(n, "%s must be a string, not %s", named(path), kindOf(n))
	default:
		d.problem(n, "%s must be a string, not %s; quote it: \"%s\"", named(path), kindOf(n), Clip(n.Value))
	}
}

// follow returns the node that an alias stands for, or n itself.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

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
	case "!!int", "!!float":
		return "the number " + Clip(n.Value)
	}
	return "the value " + Clip(n.Value)
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

// Join returns the path of a key below another path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// named returns a path for messages.
func named(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
