package nodes

import (
	"bytes"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Field is a field of a tool's own configuration that contains a path: the keys that lead to
// it, through lists, and a function that changes its text.
type Field struct {
	Keys   []string
	Change func(string) string
}

// ChangeFields returns a configuration in YAML with its fields changed. It returns a text that
// is not YAML unchanged.
func ChangeFields(text []byte, fields ...Field) []byte {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil || len(document.Content) == 0 {
		return text
	}
	changed := false
	for _, f := range fields {
		changed = change(document.Content[0], f.Keys, f.Change) || changed
	}
	if !changed {
		return text
	}
	var out bytes.Buffer
	if err := yaml.NewEncoder(&out).Encode(&document); err != nil {
		return text
	}
	return out.Bytes()
}

// change changes the texts that keys lead to, and reports whether any differs now.
func change(n *yaml.Node, keys []string, to func(string) string) (changed bool) {
	switch {
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			changed = change(item, keys, to) || changed
		}
	case n.Kind == yaml.AliasNode:
		return change(n.Alias, keys, to)
	case n.Kind == yaml.MappingNode && len(keys) > 0:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == keys[0] {
				changed = change(n.Content[i+1], keys[1:], to) || changed
			}
		}
	case n.Kind == yaml.ScalarNode && len(keys) == 0 && n.Value != "":
		if value := to(n.Value); value != n.Value {
			n.SetString(value)
			return true
		}
	}
	return changed
}

// Absolute returns a function that makes paths absolute that are relative to dir.
func Absolute(dir string) func(string) string {
	return func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
}
