package kubeconfig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// decodeRoot returns the one mapping in data; for data that holds nothing, an
// empty one.
func decodeRoot(data []byte) (*yaml.Node, error) {
	root, frozen, err := decodeAsKubectl(data)
	return root, cmp.Or(err, frozen)
}

// decodeAsKubectl returns the mapping that kubectl reads in data. Where data has more than
// that mapping, so that it cannot be edited, frozen says what: kubectl reads the first of
// several documents, and the last of keys of one name.
func decodeAsKubectl(data []byte) (root *yaml.Node, frozen, err error) {
	// The parser panics on some malformed input that it did not foresee.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not YAML: %v", r)
		}
	}()
	empty := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case err == io.EOF:
		return empty, nil, nil
	case err != nil:
		return nil, nil, err
	}
	if err := dec.Decode(&next); err != io.EOF {
		frozen = errors.New("has several YAML documents, of which kubectl reads only the first")
	}
	root = doc.Content[0]
	if isNull(root) {
		return empty, frozen, nil
	}
	frozen = cmp.Or(frozen, dropDuplicates(root))
	// Finds anchors that contain themselves or explode.
	var content any
	if err := root.Decode(&content); err != nil {
		return nil, nil, err
	}
	if merge, _ := lookup(root, "<<"); root.Kind == yaml.MappingNode && merge != nil && merge.ShortTag() == "!!merge" {
		frozen = cmp.Or(frozen, fmt.Errorf("has a merge key (<<) at the top, in line %d", merge.Line))
		root = &yaml.Node{}
		if err := root.Encode(content); err != nil {
			return nil, nil, err
		}
	}
	return root, frozen, nil
}

// dropDuplicates removes all but the last of the keys of one name, at any depth, and says
// which there were.
func dropDuplicates(n *yaml.Node) (found error) {
	if n.Kind == yaml.MappingNode {
		last := map[string]int{}
		var kept []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			id := key.ShortTag() + " " + key.Value
			if at, again := last[id]; again && key.Kind == yaml.ScalarNode && key.ShortTag() != "!!merge" {
				found = cmp.Or(found, fmt.Errorf("has the key %q twice, in lines %d and %d, of which kubectl reads only the last", key.Value, kept[at].Line, key.Line))
				kept[at+1] = n.Content[i+1]
				continue
			}
			last[id] = len(kept)
			kept = append(kept, key, n.Content[i+1])
		}
		n.Content = kept
	}
	for _, c := range n.Content {
		found = cmp.Or(found, dropDuplicates(c))
	}
	return found
}

// encodeNode is what remains where the text cannot be edited line by line: all of
// it is written anew. A file that was JSON stays JSON.
func encodeNode(root *yaml.Node, old []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be written as YAML: %v", r)
		}
	}()
	isJSON := json.Valid(old)
	if isJSON {
		quote(root)
	}
	out, err = encode(root)
	if err != nil || !isJSON {
		return out, err
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, out, "", "    ") != nil {
		return out, nil
	}
	return pretty.Bytes(), nil
}

// encode writes v in the layout that kubectl writes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	err := enc.Close()
	return b.Bytes(), err
}

// quote gives the node and all below it the styles of JSON.
func quote(n *yaml.Node) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str":
		n.Style = yaml.DoubleQuotedStyle
	case n.Kind != yaml.ScalarNode:
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		quote(c)
	}
}

// equal tells whether two trees mean the same, whatever their layout.
func equal(a, b *yaml.Node) bool {
	a, b = deref(a), deref(b)
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !equal(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

func isEmpty(n *yaml.Node) bool {
	n = deref(n)
	return isNull(n) || n.Kind != yaml.ScalarNode && len(n.Content) == 0 || n.Kind == yaml.ScalarNode && n.Value == ""
}

// lookup returns the key and the value of name in a mapping; nil where it has none.
func lookup(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}
