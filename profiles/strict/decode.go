package strict

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	maxNodes = 20_000 // counts aliases each time: a file of a kilobyte can expand to gigabytes
	maxDepth = 64
)

// decoder fills a struct from a YAML tree. It continues after a problem, to report all of them.
type decoder struct {
	file     string
	dir      string // of the file; relative paths start here
	origins  Origins
	problems Problems
	nodes    int
	depth    int
	given    bool // up: the file is too large, and the problem was reported
}

func (d *decoder) problem(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// enter follows an alias and counts. It returns nil if the tree is too large or too deep.
func (d *decoder) enter(n *yaml.Node) *yaml.Node {
	d.nodes++
	d.depth++
	if d.nodes > maxNodes || d.depth > maxDepth {
		if !d.given {
			d.problem(n, "the file is too large: the limit is %d values in %d levels", maxNodes, maxDepth)
		}
		d.given = true
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (d *decoder) leave() { d.depth-- }

// value reads n into v. path is the path of v, with dots between keys.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	defer d.leave()
	if n = d.enter(n); n == nil || n.Tag == "!!null" {
		return
	}
	if p, ok := v.Addr().Interface().(positioned); ok {
		d.positioned(n, p.text(), path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.free(n, path)
	case reflect.Int:
		d.number(n, v, path)
	case reflect.Bool:
		d.yesNo(n, v, path)
	default:
		d.text(n, v, path)
	}
}

func (d *decoder) object(n *yaml.Node, v reflect.Value, path string) {
	if short, ok := v.Addr().Interface().(Shortened); ok && n.Kind == yaml.ScalarNode {
		d.text(n, reflect.ValueOf(short.Short()).Elem(), "")
		return
	}
	if n.Kind != yaml.MappingNode {
		d.problem(n, "%s must be a mapping (KEY: VALUE), not %s", said(path), kindOf(n))
		return
	}
	d.keys(n, v, path)
	if whole, ok := v.Interface().(interface{ Problem() string }); ok {
		if problem := whole.Problem(); problem != "" {
			d.problem(n, "%s", problem)
		}
	}
}

// keys reads the keys of a mapping, and reports missing ones.
func (d *decoder) keys(n *yaml.Node, v reflect.Value, path string) {
	seen := map[string]bool{}
	d.pairs(n, v, path, seen)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if key := KeyOf(f); !seen[key] && f.Tag.Get("need")+f.Tag.Get("want") != "" {
			d.problem(n, "%s is missing%s", said(Join(path, key)), wanted(f))
		}
	}
}

// pairs reads the keys of n that are not in seen, and adds them to it. Keys of n itself override
// those from its merge keys, as YAML defines it.
func (d *decoder) pairs(n *yaml.Node, v reflect.Value, path string, seen map[string]bool) {
	own := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, child := n.Content[i], n.Content[i+1]
		index := slices.Index(keysOf(v.Type()), key.Value)
		switch {
		case key.Tag == "!!merge":
			merged = append(merged, child)
		case path == "" && strings.HasPrefix(key.Value, "x-"):
		case index < 0 || key.Kind != yaml.ScalarNode:
			d.unknown(key, keysOf(v.Type()), path)
		case own[key.Value]:
			d.problem(key, "duplicate key %s", said(Join(path, key.Value)))
		case !seen[key.Value]:
			d.field(child, v.Type().Field(index), v.Field(index), Join(path, key.Value))
		}
		own[key.Value] = true
	}
	maps.Copy(seen, own)
	for _, child := range merged {
		d.merge(child, v, path, seen)
	}
}

// merge reads the value of a merge key: a mapping, or a list of mappings of which earlier ones override
// later ones.
func (d *decoder) merge(n *yaml.Node, v reflect.Value, path string, seen map[string]bool) {
	defer d.leave()
	at := n
	if n = d.enter(n); n == nil {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		d.pairs(n, v, path, seen)
	case yaml.SequenceNode:
		for _, child := range n.Content {
			d.merge(child, v, path, seen)
		}
	default:
		d.problem(at, "the merge key << must be a mapping or a list of mappings, not %s", kindOf(n))
	}
}

func wanted(f reflect.StructField) string {
	if want := f.Tag.Get("want"); want != "" {
		return ": " + KeyOf(f) + ": " + want
	}
	return ""
}

func (d *decoder) unknown(key *yaml.Node, known []string, path string) {
	where := ""
	if path != "" {
		where = " in " + path
	}
	if near := fault.Nearest(key.Value, known); near != "" {
		d.problem(key, "unknown key %q%s; did you mean %s?", Clip(key.Value), where, near)
		return
	}
	d.problem(key, "unknown key %q%s; known keys: %s", Clip(key.Value), where, strings.Join(known, ", "))
}

// field reads one value, and checks what its tags say.
func (d *decoder) field(n *yaml.Node, f reflect.StructField, v reflect.Value, path string) {
	before := len(d.problems)
	d.value(n, v, path)
	if len(d.problems) > before {
		return // one problem per value
	}
	if want := f.Tag.Get("want"); want != "" && v.String() != want {
		d.problem(n, "%s must be %[3]s, not %[2]q", said(path), Clip(v.String()), want)
	}
	if highest, err := strconv.Atoi(f.Tag.Get("max")); err == nil && (v.Int() < 0 || v.Int() > int64(highest)) {
		d.problem(n, "%s must be between 0 and %[3]d, not %[2]d", said(path), v.Int(), highest)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.problem(n, "%s must be a list ([A, B]), not %s", said(path), kindOf(n))
		return
	}
	d.origin(path, n)
	for _, child := range n.Content {
		item := reflect.New(v.Type().Elem()).Elem()
		before := len(d.problems)
		d.value(child, item, path)
		if len(d.problems) == before && item.IsZero() {
			d.problem(child, "%s has an empty item", said(path))
		}
		if keyed, ok := item.Interface().(Keyed); ok {
			d.origin(Join(path, keyed.Key()), child)
		}
		v.Set(reflect.Append(v, item))
	}
}

func (d *decoder) origin(path string, n *yaml.Node) {
	d.origins[path] = fmt.Sprintf("%s:%d", d.file, n.Line)
}

// Join returns the path of a key below another path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// said returns a path for messages.
func said(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
