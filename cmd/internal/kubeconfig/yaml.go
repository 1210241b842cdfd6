package kubeconfig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	kubectlyaml "sigs.k8s.io/yaml"
)

// decode returns the mapping that kubectl reads in text, which may be empty. Where the text has
// more than this mapping, so that lab does not edit it, frozen says what.
func decode(text string) (root *yaml.Node, frozen, err error) {
	defer func() { // The parser panics on some malformed input.
		if r := recover(); r != nil {
			err = fmt.Errorf("not YAML: %v", r)
		}
	}()
	empty := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); err == io.EOF {
		return empty, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	var content any // decoding finds what the parser does not, such as anchors that contain themselves
	err = doc.Decode(&content)
	merge, _ := lookup(doc.Content[0], "<<")
	if twice, ok := errors.AsType[*yaml.TypeError](err); ok {
		var first, last int
		var key string
		_, _ = fmt.Sscanf(twice.Errors[0], "line %d: mapping key %q already defined at line %d", &last, &key, &first)
		frozen = fmt.Errorf("has the key %q twice, in lines %d and %d, of which kubectl reads only the last", key, first, last)
	} else if err != nil {
		return nil, nil, err
	} else if dec.Decode(&next) != io.EOF {
		frozen = errors.New("has several YAML documents, of which kubectl reads only the first")
	} else if merge != nil && merge.ShortTag() == "!!merge" {
		frozen = fmt.Errorf("has a merge key (<<) at the top, in line %d", merge.Line)
	}
	if frozen != nil {
		data, err := kubectlyaml.YAMLToJSON([]byte(text))
		if err == nil {
			err = yaml.Unmarshal(data, &doc)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if root = doc.Content[0]; isNull(root) {
		root = empty
	}
	return root, frozen, nil
}

// encode writes v in the layout that kubectl writes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	err := enc.Encode(v)
	return b.Bytes(), cmp.Or(err, enc.Close())
}

// encodeLike encodes root as JSON where old is JSON, else as YAML.
func encodeLike(old string, root *yaml.Node) (out []byte, err error) {
	defer func() { // The encoder panics on some trees.
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be written as YAML: %v", r)
		}
	}()
	isJSON := json.Valid([]byte(old))
	if isJSON {
		quote(root)
	}
	out, err = encode(root)
	var pretty bytes.Buffer
	if err != nil || !isJSON || json.Indent(&pretty, out, "", "    ") != nil {
		return out, err
	}
	return pretty.Bytes(), nil
}

// quote gives the node and all below it the styles of JSON.
func quote(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode:
		n.Style = yaml.FlowStyle
	case n.ShortTag() == "!!str":
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		quote(c)
	}
}

func indent(text, margin string) string {
	return margin + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+margin) + "\n"
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
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

// equal reports whether two trees mean the same, whatever their layout.
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

// isText reports whether n can be where Kubernetes wants a string: 1 and true cannot, null can.
func isText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && !slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.ShortTag())
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func isEmpty(n *yaml.Node) bool {
	n = deref(n)
	return isNull(n) || len(n.Content) == 0 && n.Value == ""
}
