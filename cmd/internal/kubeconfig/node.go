package kubeconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// decodeRoot returns the one mapping in data; for data that holds nothing, an
// empty one.
func decodeRoot(data []byte) (root *yaml.Node, err error) {
	// The parser panics on some malformed input that it did not foresee.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is not YAML: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case err == io.EOF:
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	case err != nil:
		return nil, err
	}
	if err := dec.Decode(&next); err == nil {
		return nil, fmt.Errorf("it holds more than one document (the second at line %d)", next.Line)
	} else if err != io.EOF {
		return nil, err
	}
	root = doc.Content[0]
	if isNull(root) {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	}
	// Finds duplicate keys, and anchors that contain themselves or explode.
	var any any
	if err := root.Decode(&any); err != nil {
		return nil, err
	}
	return root, nil
}

// encodeNode is what remains where the text cannot be edited line by line: all of
// it is written anew. A file that was JSON stays JSON.
func encodeNode(root *yaml.Node, old []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be written again: %v", r)
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
