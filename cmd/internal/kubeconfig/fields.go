package kubeconfig

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const currentContext = "current-context"

// clear writes "nothing" for the value of key, the way that m remembers.
func (d *document) clear(key *yaml.Node, m memory) {
	if slices.Contains(m.Added, key.Value) {
		d.removeKey(key)
		return
	}
	nothing, known := m.Was[key.Value]
	switch {
	case nothing != " []" && nothing != " null" && nothing != " ~" && nothing != "":
		known = false // somebody tampered with it
	case key.Value == currentContext && nothing == " []":
		known = false
	}
	if !known && key.Value == currentContext {
		d.setCurrent("")
		return
	}
	if !known {
		nothing = " []"
	}
	d.clearLine(key, nothing)
}

func (d *document) clearLine(key *yaml.Node, nothing string) {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: strings.TrimSpace(nothing)}
	if nothing == " []" {
		node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	}
	before, rest, ok := d.bareLine(key)
	d.odd = d.odd || !ok
	d.edit(key.Line-1, key.Line, strings.TrimRight(before, " ")+nothing+rest)
	d.setValue(key.Value, node)
}

// bareLine splits the line of key into what is before and what is after its value.
func (d *document) bareLine(key *yaml.Node) (before, rest string, ok bool) {
	if before, _, rest, ok := d.emptyLine(key); ok {
		return before, rest, true
	}
	_, value := lookup(d.root, key.Value)
	if isNull(deref(value)) {
		return "", "", false // and written in a way that could not be remembered
	}
	return d.cutScalar(value)
}

// setCurrent makes name the current context, quoted as the one before was.
func (d *document) setCurrent(name string) {
	key, value := lookup(d.root, currentContext)
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
	if key == nil {
		d.addKey(currentContext, node, []string{currentContext + ": " + quoted(name, 0)})
		return
	}
	if !isNull(deref(value)) && deref(value).Value == name {
		return
	}
	node.Style = value.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle)
	before, rest, ok := d.bareLine(key)
	d.odd = d.odd || !ok
	if strings.HasSuffix(before, ":") {
		before += " "
	}
	d.edit(key.Line-1, key.Line, before+quoted(name, value.Style)+rest)
	d.setValue(currentContext, node)
}

// cutScalar splits the line in which a scalar stands into what is before and what
// is after it.
func (d *document) cutScalar(v *yaml.Node) (before, rest string, ok bool) {
	if v.Line < 1 || v.Line > len(d.lines) || v.Column < 1 || v.Column > len(d.lines[v.Line-1]) {
		return "", "", false
	}
	token := v.Value
	switch v.Style {
	case yaml.DoubleQuotedStyle:
		token = `"` + token + `"`
	case yaml.SingleQuotedStyle:
		token = `'` + token + `'`
	}
	before = d.lines[v.Line-1][:v.Column-1]
	rest, ok = strings.CutPrefix(d.lines[v.Line-1][v.Column-1:], token)
	return before, rest, ok
}

// quoted writes a context's name in style where the name allows it.
func quoted(name string, style yaml.Style) string {
	plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@/:+-") == ""
	switch {
	case plain && style == yaml.DoubleQuotedStyle:
		return `"` + name + `"`
	case plain && style == yaml.SingleQuotedStyle:
		return `'` + name + `'`
	}
	text, err := encode(name)
	if err != nil {
		return `""` // which is then seen not to mean name
	}
	return strings.TrimSuffix(string(text), "\n")
}

// addKey adds a top-level key at the end.
func (d *document) addKey(name string, value *yaml.Node, lines []string) {
	d.edit(d.end(), d.end(), indent(d.margin(), lines)...)
	d.root.Content = append(d.root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, value)
}

func (d *document) addScalar(name, value string) {
	d.addKey(name, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}, []string{name + ": " + value})
}

// removeKey removes a top-level key of one line.
func (d *document) removeKey(key *yaml.Node) {
	d.edit(key.Line-1, key.Line)
	i := slices.Index(d.root.Content, key)
	d.root.Content = slices.Delete(d.root.Content, i, i+2)
}

func (d *document) setValue(name string, value *yaml.Node) {
	key, _ := lookup(d.root, name)
	d.root.Content[slices.Index(d.root.Content, key)+1] = value
}
