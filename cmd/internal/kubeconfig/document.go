package kubeconfig

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	currentContext = "current-context"
	byteOrderMark  = "\ufeff"
)

// lists returns the keys whose values are lists of named entries.
func lists() []string { return []string{"clusters", "contexts", "users"} }

// document is a kubeconfig file, as a tree and as lines. Every edit is made in both: the tree
// says what the file means, and the lines that no edit changes stay as the user wrote them.
type document struct {
	path   string
	err    error // why this is not a kubeconfig; such a document has no entries
	frozen error // why lab does not edit a file that kubectl can read

	mark, newline string   // the byte order mark, or "", and the line ends
	text          string   // the file as it was, without mark, with "\n" as line ends
	open          bool     // it does not end with a newline
	lines         []string // an edit may put several lines, or none, where there was one
	was, root     *yaml.Node
	cache         map[*yaml.Node]*entry

	missing, newDir   bool // the file, or its directory, did not exist before this edit
	unused, unusedDir bool // the file, or its directory, can be removed after this edit
}

// parse reads a kubeconfig. It reports errors in the document.
func parse(path string, data []byte) *document {
	d := &document{path: path, newline: "\n", was: &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}}
	text, marked := strings.CutPrefix(string(data), byteOrderMark)
	if marked {
		d.mark = byteOrderMark
	}
	if n := strings.Count(text, "\r\n"); n > 0 && n == strings.Count(text, "\n") {
		d.newline = "\r\n"
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	root, frozen, err := decode(text)
	switch {
	case !utf8.ValidString(text):
		err = errors.New("not UTF-8 text")
	case err == nil:
		err = checkRoot(root)
	}
	if err != nil {
		err = fault.Errorf(fault.ErrInvalid, "cannot read the kubeconfig %s: %w", path, err)
		d.err = fault.WithHint(err, "correct the file, or use another one: export KUBECONFIG=FILE")
	} else {
		d.was = root
	}
	// These are line breaks in YAML, too.
	if strings.Count(text, "\r") != strings.Count(text, "\r\n") || strings.ContainsAny(text, "\u0085\u2028\u2029") {
		frozen = cmp.Or(frozen, errors.New(`has line ends other than \n and \r\n`))
	}
	if frozen != nil {
		d.frozen = d.uneditable(frozen)
	}
	d.text, d.root = text, d.was
	if d.open = text != "" && !strings.HasSuffix(text, "\n"); d.open {
		text += "\n"
	}
	d.lines = strings.SplitAfter(text, "\n") // the last one is ""
	return d
}

// checkRoot returns an error for YAML that is not a kubeconfig.
func checkRoot(root *yaml.Node) error {
	wrong := func(n *yaml.Node, what, must string) error {
		return fmt.Errorf("line %d: not a kubeconfig: %s must be %s", n.Line, what, must)
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a kubeconfig: must be a mapping", root.Line)
	}
	for i := 0; i < len(root.Content); i += 2 {
		key, node := root.Content[i].Value, root.Content[i+1]
		value := deref(node)
		want := map[string]string{"kind": "Config", "apiVersion": "v1"}[key]
		switch {
		case want != "" && !isEmpty(value) && value.Value != want:
			return wrong(node, key, want)
		case key == currentContext && value.Kind != yaml.ScalarNode:
			return wrong(node, key, "a string")
		case !slices.Contains(lists(), key) || isNull(value):
			continue
		case value.Kind != yaml.SequenceNode:
			return wrong(node, key, "a list")
		}
		for _, item := range value.Content {
			if deref(item).Kind != yaml.MappingNode {
				return wrong(item, "each of "+key, "a mapping")
			}
		}
	}
	return nil
}

func (d *document) uneditable(why error) error {
	err := fault.Errorf(fault.ErrInvalid, "lab does not edit the kubeconfig %s: it %w", d.path, why)
	return fault.WithHint(err, "write what kubectl reads to another file, and use that: kubectl config view --raw --kubeconfig %s > FILE && export KUBECONFIG=FILE", fault.ShellWord(d.path))
}

// result returns the content of the edited file, and nil where the edits change nothing. It
// compares what the lines mean with the tree, and encodes the tree where they differ. So a
// layout that cannot be edited by lines never leads to a wrong file.
func (d *document) result() ([]byte, error) {
	if d.root == d.was {
		return nil, nil
	}
	if d.frozen != nil {
		return nil, d.frozen
	}
	text := d.edited()
	if !d.means(text) {
		encoded, err := encodeLike(d.text, d.root)
		if err != nil {
			return nil, d.uneditable(err)
		}
		if text = string(encoded); !d.means(text) {
			return nil, d.uneditable(errors.New("has a layout that cannot be edited safely"))
		}
	}
	if text == d.text {
		return nil, nil
	}
	return []byte(d.mark + strings.ReplaceAll(text, "\n", d.newline)), nil
}

func (d *document) edited() string {
	text := strings.Join(d.lines, "")
	if d.open {
		return strings.TrimSuffix(text, "\n")
	}
	return text
}

func (d *document) means(text string) bool {
	root, frozen, err := decode(text)
	return err == nil && frozen == nil && equal(root, d.root)
}

// line returns a line by its number. A number that the file does not have, as in a tree with
// aliases, leads to a line that is not in the file.
func (d *document) line(n int) *string {
	if n < 1 || n > len(d.lines) {
		return new(string)
	}
	return &d.lines[n-1]
}

// margin returns the indentation of the top-level keys.
func (d *document) margin() string {
	if len(d.was.Content) == 0 {
		return ""
	}
	return strings.Repeat(" ", max(0, d.was.Content[0].Column-1))
}

// keyLine divides the line of a key into the key with its colon, the value with the blanks
// before it, and the comment. It returns nil for any other line.
func (d *document) keyLine(key, value *yaml.Node) []string {
	pattern := fmt.Sprintf(`^( *%s:)((?: +%s)?)([ \t\r]*|[ \t]+#.*)\n?$`, regexp.QuoteMeta(token(key)), regexp.QuoteMeta(token(value)))
	parts := regexp.MustCompile(pattern).FindStringSubmatch(*d.line(key.Line))
	if parts == nil {
		return nil
	}
	return parts[1:]
}

// token returns how a key, a string, a null or an empty list is written on one line. For
// another value it returns what is not on the line.
func token(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode && n.Style&yaml.FlowStyle != 0:
		return "[]"
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return `"` + n.Value + `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		return `'` + n.Value + `'`
	}
	return n.Value
}

// set changes the value of a top-level key, or adds the key at the end. The value is text for the
// line of the key, with the blanks before it; below are lines that follow.
func (d *document) set(name, value, below string, node *yaml.Node) {
	if key, old := lookup(d.root, name); key == nil {
		*d.line(len(d.lines)) += d.margin() + name + ":" + value + "\n" + below
	} else if parts := d.keyLine(key, old); parts != nil {
		*d.line(key.Line) = parts[0] + value + parts[2] + "\n" + below
	}
	d.change(name, node)
}

// change changes the value of a top-level key in the tree. It removes the key where value is nil.
func (d *document) change(name string, value *yaml.Node) {
	root := *d.root
	root.Content = slices.Clone(root.Content)
	key, _ := lookup(&root, name)
	i := slices.Index(root.Content, key)
	switch {
	case key == nil:
		root.Content = append(root.Content, scalar(name), value)
	case value == nil:
		root.Content = slices.Delete(root.Content, i, i+2)
	default:
		root.Content[i+1] = value
	}
	d.root = &root
}

// remove removes a top-level key of one line.
func (d *document) remove(name string) {
	key, _ := lookup(d.root, name)
	*d.line(key.Line) = ""
	d.change(name, nil)
}

// put adds an item to a list, or replaces the one of its name. New items go first, because the
// line of the key is found more reliably than the end of a list.
func (d *document) put(list string, content map[string]any) error {
	item, text, err := encodeItem(content)
	if err != nil {
		return err
	}
	key, value := lookup(d.root, list)
	if key == nil || isEmpty(value) {
		d.set(list, "", indent(text, d.margin()), sequence(nil, []*yaml.Node{item}))
		return nil
	}
	value = deref(value)
	text = indent(text, strings.Repeat(" ", max(0, value.Column-1)))
	items := slices.Clone(value.Content)
	if old := d.find(list, d.entry(item).Name); old != nil {
		d.cutItem(value, old.node)
		*d.line(old.node.Line) = text
		items[slices.Index(items, old.node)] = item
	} else {
		*d.line(key.Line) += text
		items = slices.Insert(items, 0, item)
	}
	d.change(list, sequence(value, items))
	return nil
}

// drop removes items of a list. A list that becomes empty is written as m remembers.
func (d *document) drop(list string, items map[*entry]bool, m memory) {
	_, value := lookup(d.root, list)
	var kept []*yaml.Node
	all := d.entries(list)
	for _, e := range all {
		if items[e] {
			d.cutItem(deref(value), e.node)
		} else {
			kept = append(kept, e.node)
		}
	}
	switch {
	case len(kept) == len(all):
	case len(kept) == 0:
		d.clear(list, m)
	default:
		d.change(list, sequence(deref(value), kept))
	}
}

// cutItem empties the lines of an item: from its dash to the last one that is indented deeper
// and no comment, which may belong to what follows.
func (d *document) cutItem(list, item *yaml.Node) {
	end := item.Line
	for n := end + 1; n <= len(d.lines); n++ {
		line := *d.line(n)
		if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
			continue
		}
		if indentation(line) < list.Column {
			break
		}
		end = n
	}
	for n := item.Line; n <= end; n++ {
		*d.line(n) = ""
	}
}

// clear writes an empty value as m remembers it, or removes the key where m says that there was
// none.
func (d *document) clear(key string, m memory) {
	value, known := m.Was[key]
	word := strings.TrimSpace(value)
	switch {
	case slices.Contains(m.Added, key):
		d.remove(key)
	case known && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, word):
		d.set(key, value, "", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: word})
	case key == currentContext:
		d.setCurrent("")
	default:
		if word != "[]" { // which another program changed
			value = " []"
		}
		d.set(key, value, "", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle})
	}
}

// current returns the name of the current context, or "".
func (d *document) current() string {
	if _, value := lookup(d.root, currentContext); value != nil && !isNull(deref(value)) {
		return deref(value).Value
	}
	return ""
}

// setCurrent makes name the current context, quoted as the one before was.
func (d *document) setCurrent(name string) {
	key, value := lookup(d.root, currentContext)
	node, blanks := scalar(name), " "
	if key != nil {
		if !isNull(deref(value)) && deref(value).Value == name {
			return
		}
		node.Style = value.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle)
		if parts := d.keyLine(key, value); parts != nil {
			blanks = cmp.Or(parts[1][:indentation(parts[1])], " ")
		}
	}
	text, _ := encode(node) // without text, result finds that the line does not mean name
	d.set(currentContext, blanks+strings.TrimSuffix(string(text), "\n"), "", node)
}

func (d *document) entries(list string) []*entry {
	var all []*entry
	if _, value := lookup(d.root, list); value != nil {
		for _, n := range deref(value).Content {
			all = append(all, d.entry(n))
		}
	}
	return all
}

func (d *document) entry(n *yaml.Node) *entry {
	if d.cache[n] == nil {
		if d.cache == nil {
			d.cache = map[*yaml.Node]*entry{}
		}
		d.cache[n] = newEntry(d, n)
	}
	return d.cache[n]
}

func (d *document) find(list, name string) *entry {
	for _, e := range d.entries(list) {
		if name != "" && e.Name == name {
			return e
		}
	}
	return nil
}
