package kubeconfig

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lists are the keys whose values are lists of named entries.
func lists() []string { return []string{"clusters", "contexts", "users"} }

// put adds item to a list, or lets it take the place of the one of its name. New
// items go first: the line of the key is easier to be sure of than a list's end.
func (d *document) put(list string, item map[string]any) error {
	text, err := encode([]any{item})
	if err != nil {
		return err
	}
	added, err := decodeRoot(text)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	key, value := lookup(d.root, list)
	switch {
	case key == nil:
		d.addKey(list, added, append([]string{list + ":"}, lines...))
	case isEmpty(value):
		before, _, rest, ok := d.emptyLine(key)
		d.odd = d.odd || !ok
		d.edit(key.Line-1, key.Line, append([]string{before + rest}, indent(d.margin(), lines)...)...)
		d.setValue(list, added)
	default:
		d.putItem(key, d.own(list), added.Content[0], lines)
	}
	return nil
}

func (d *document) putItem(key, list, item *yaml.Node, lines []string) {
	lines = indent(strings.Repeat(" ", max(0, list.Column-1)), lines)
	if i := indexOf(list, nameOf(item)); i >= 0 {
		from, to, ok := d.itemLines(list, list.Content[i])
		d.odd = d.odd || !ok
		d.edit(from, to, lines...)
		list.Content[i] = item
		return
	}
	if _, _, ok := d.itemLines(list, list.Content[0]); !ok {
		d.odd = true
	}
	d.edit(key.Line, key.Line, lines...)
	list.Content = slices.Insert(list.Content, 0, item)
}

// drop removes items of a list. A list that is then empty is written the way that m
// remembers.
func (d *document) drop(list string, items []*yaml.Node, m memory) {
	key, value := lookup(d.root, list)
	if key == nil || isEmpty(value) || len(items) == 0 {
		return
	}
	seq := d.own(list)
	before := len(seq.Content)
	seq.Content = slices.DeleteFunc(seq.Content, func(item *yaml.Node) bool {
		if !slices.Contains(items, item) {
			return false
		}
		from, to, ok := d.itemLines(seq, item)
		d.odd = d.odd || !ok
		d.edit(from, to)
		return true
	})
	if before > 0 && len(seq.Content) == 0 {
		d.clear(key, m)
	}
}

// own returns the list as a node that nothing else refers to.
func (d *document) own(list string) *yaml.Node {
	_, value := lookup(d.root, list)
	if value.Kind != yaml.AliasNode {
		return value
	}
	d.odd = true
	copied := *deref(value)
	copied.Anchor = ""
	copied.Content = slices.Clone(copied.Content)
	d.setValue(list, &copied)
	return &copied
}

func indent(margin string, lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = margin + line
	}
	return out
}

func nameOf(item *yaml.Node) string {
	if _, v := lookup(deref(item), "name"); v != nil {
		return deref(v).Value
	}
	return ""
}

func indexOf(list *yaml.Node, name string) int {
	return slices.IndexFunc(list.Content, func(item *yaml.Node) bool { return nameOf(item) == name })
}
