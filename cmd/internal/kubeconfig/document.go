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

// document is a kubeconfig file as a list of pieces. An edit replaces pieces, in the lines and in what
// they mean alike. All others stay as the user wrote them.
type document struct {
	path   string
	err    error // why this is not a kubeconfig; such a document has no entries
	frozen error // why lab does not edit a file that kubectl can read

	mark, newline string // the byte order mark, or "", and the line ends
	text          string // the file as it was, without mark, with "\n" as line ends
	root          *yaml.Node
	pieces        []piece
	edited        bool

	missing, newDir   bool // the file, or its directory, did not exist before this edit
	unused, unusedDir bool // the file, or its directory, can be removed after this edit
}

// piece is some lines of a file: those of an item, the line of a top-level key, or what is between.
type piece struct {
	lines      string
	key, value *yaml.Node // nil unless it is a key; the items of a list have separate pieces
	list       string     // of an item
	item       *entry
}

// parse reads a kubeconfig. It reports errors in the document.
func parse(path string, data []byte) *document {
	d := &document{path: path, newline: "\n", root: &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}}
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
		d.root = root
	}
	// These are line breaks in YAML, too.
	if strings.Count(text, "\r") != strings.Count(text, "\r\n") || strings.ContainsAny(text, "\u0085\u2028\u2029") {
		frozen = cmp.Or(frozen, errors.New(`has line ends other than \n and \r\n`))
	}
	if frozen != nil {
		d.frozen = d.uneditable(frozen)
	}
	d.text = text
	if d.open() {
		text += "\n"
	}
	d.split(strings.SplitAfter(text, "\n"))
	return d
}

// open reports whether the file has text and does not end with a newline.
func (d *document) open() bool { return d.text != "" && !strings.HasSuffix(d.text, "\n") }

// split divides the lines into pieces. Nodes without separate lines, as in JSON or behind aliases, get
// pieces whose edits do not mean what they should; then result encodes the tree.
func (d *document) split(lines []string) {
	next := 0
	add := func(p piece, from, end int) {
		from = min(max(from, next), len(lines))
		end = min(max(end, from), len(lines))
		p.lines = strings.Join(lines[from:end], "")
		d.pieces = append(d.pieces, piece{lines: strings.Join(lines[next:from], "")}, p)
		next = end
	}
	for i := 0; i < len(d.root.Content); i += 2 {
		key, value := d.root.Content[i], d.root.Content[i+1]
		add(piece{key: key, value: value}, key.Line-1, key.Line)
		if !slices.Contains(lists(), key.Value) {
			continue
		}
		for _, item := range deref(value).Content {
			add(piece{list: key.Value, item: newEntry(d, item)}, item.Line-1, endOf(lines, item.Line, deref(value).Column))
		}
	}
	add(piece{}, len(lines), len(lines))
}

// endOf returns the last line of an item: one that is indented deeper than the dash and is no comment,
// which may belong to what follows.
func endOf(lines []string, first, indent int) int {
	end := first
	for n := first; n < len(lines); n++ {
		text := strings.TrimSpace(lines[n])
		if text == "" || text[0] == '#' {
			continue
		}
		if indentation(lines[n]) < indent {
			break
		}
		end = n + 1
	}
	return end
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
		case key == currentContext && !isText(value):
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
			if _, name := lookup(deref(item), "name"); name != nil && !isText(deref(name)) {
				return wrong(name, "name", fmt.Sprintf("a string, as in name: %q", name.Value))
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
	if !d.edited {
		return nil, nil
	}
	if d.frozen != nil {
		return nil, d.frozen
	}
	text, tree := d.joined(), d.tree()
	if !means(text, tree) {
		encoded, err := encodeLike(d.text, tree)
		if err != nil {
			return nil, d.uneditable(err)
		}
		if text = string(encoded); !means(text, tree) {
			return nil, d.uneditable(errors.New("has a layout that cannot be edited safely"))
		}
	}
	if text == d.text {
		return nil, nil
	}
	return []byte(d.mark + strings.ReplaceAll(text, "\n", d.newline)), nil
}

// means reports whether text is read as the tree.
func means(text string, tree *yaml.Node) bool {
	root, frozen, err := decode(text)
	return err == nil && frozen == nil && equal(root, tree)
}

// joined returns the text of all pieces.
func (d *document) joined() string {
	var text strings.Builder
	for _, p := range d.pieces {
		text.WriteString(p.lines)
	}
	if d.open() {
		return strings.TrimSuffix(text.String(), "\n")
	}
	return text.String()
}

// tree returns what all pieces mean.
func (d *document) tree() *yaml.Node {
	items := map[string][]*yaml.Node{}
	for _, p := range d.pieces {
		if p.item != nil {
			items[p.list] = append(items[p.list], p.item.node)
		}
	}
	root := *d.root
	root.Content = nil
	for _, p := range d.pieces {
		if p.key == nil {
			continue
		}
		value := p.value
		if list := items[p.key.Value]; list != nil && !slices.Equal(list, deref(value).Content) {
			value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: deref(value).Style & yaml.FlowStyle, Content: list}
		}
		root.Content = append(root.Content, p.key, value)
	}
	return &root
}

// margin returns the indentation of the top-level keys.
func (d *document) margin() string {
	if len(d.root.Content) == 0 {
		return ""
	}
	return strings.Repeat(" ", max(0, d.root.Content[0].Column-1))
}

// key returns the index of the piece of a top-level key, or -1.
func (d *document) key(name string) int {
	return slices.IndexFunc(d.pieces, func(p piece) bool { return p.key != nil && p.key.Value == name })
}

// divide divides the line of a key into the key with its colon, the value with the blanks before it, and
// the comment. It returns nil for any other line, and for a value that is not a string, a null or [].
func (p piece) divide() []string {
	const value = `\[\]|"[^"]*"|'[^']*'|[^][\s#"'*&!|>%@{},?-]\S*(?: +[^\s#]\S*)*`
	parts := regexp.MustCompile(`^( *[^:\s]+:)((?: +(?:` + value + `))?)([ \t\r]*|[ \t]+#.*)\n?$`).FindStringSubmatch(p.lines)
	if parts == nil {
		return nil
	}
	return parts[1:]
}

// set changes the value of a top-level key, or adds the key at the end. text is the value on the line of
// the key, with the blanks before it.
func (d *document) set(name, text string) {
	d.edited = true
	root, _, err := decode(name + ":" + text)
	if err != nil {
		root = &yaml.Node{Content: []*yaml.Node{scalar(name), scalar(text)}} // result finds that the line is wrong
	}
	p := piece{lines: d.margin() + name + ":" + text + "\n", key: root.Content[0], value: root.Content[1]}
	i := d.key(name)
	if i < 0 {
		d.pieces = append(d.pieces, p)
		return
	}
	if parts := d.pieces[i].divide(); parts != nil {
		d.pieces[i].lines = parts[0] + text + parts[2] + "\n"
	}
	d.pieces[i].value = p.value
}

// remove removes a top-level key without items, if there is one.
func (d *document) remove(name string) {
	if i := d.key(name); i >= 0 {
		d.edited, d.pieces = true, slices.Delete(d.pieces, i, i+1)
	}
}

// put adds an item to a list, or replaces the one of its name. New items go first, because the
// line of the key is found more reliably than the end of a list.
func (d *document) put(list string, content map[string]any) error {
	var node yaml.Node
	if err := node.Encode(content); err != nil {
		return err
	}
	text, err := encode([]*yaml.Node{&node})
	if err != nil {
		return err
	}
	d.edited = true
	p := piece{list: list, item: newEntry(d, &node)}
	margin := d.margin()
	if all := d.entries(list); len(all) == 0 {
		d.set(list, "")
	} else {
		margin = strings.Repeat(" ", max(0, deref(d.pieces[d.key(list)].value).Column-1))
	}
	p.lines = indent(string(text), margin)
	if old := d.find(list, p.item.Name); old != nil {
		d.pieces[slices.IndexFunc(d.pieces, func(q piece) bool { return q.item == old })] = p
	} else {
		d.pieces = slices.Insert(d.pieces, d.key(list)+1, p)
	}
	return nil
}

// drop removes items of a list. A list that becomes empty is written as m remembers.
func (d *document) drop(list string, items map[*entry]bool, m memory) {
	before := len(d.pieces)
	d.pieces = slices.DeleteFunc(d.pieces, func(p piece) bool { return p.list == list && items[p.item] })
	if len(d.pieces) == before {
		return
	}
	d.edited = true
	if len(d.entries(list)) == 0 {
		d.clear(list, m)
	}
}

// clear writes an empty value as m remembers it, or removes the key where m says that there was
// none.
func (d *document) clear(key string, m memory) {
	text, known := m.Was[key]
	known = known && slices.Contains([]string{"", "~", "null", "Null", "NULL", "[]"}, strings.TrimSpace(text)) // else another program changed it
	switch {
	case slices.Contains(m.Added, key):
		d.remove(key)
	case known:
		d.set(key, text)
	case key == currentContext:
		d.setCurrent("")
	default:
		d.set(key, " []")
	}
}

// current returns the name of the current context, or "".
func (d *document) current() string {
	if i := d.key(currentContext); i >= 0 && !isNull(deref(d.pieces[i].value)) {
		return deref(d.pieces[i].value).Value
	}
	return ""
}

// setCurrent makes name the current context, quoted as the one before was.
func (d *document) setCurrent(name string) {
	node, blanks := scalar(name), " "
	if i := d.key(currentContext); i >= 0 {
		p := d.pieces[i]
		if !isNull(deref(p.value)) && deref(p.value).Value == name {
			return
		}
		node.Style = p.value.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle)
		if parts := p.divide(); parts != nil {
			blanks = cmp.Or(parts[1][:indentation(parts[1])], " ")
		}
	}
	text, _ := encode(node)
	d.set(currentContext, blanks+strings.TrimSuffix(string(text), "\n"))
	d.pieces[d.key(currentContext)].value = node // also if the line does not mean that
}

func (d *document) entries(list string) []*entry {
	var all []*entry
	for _, p := range d.pieces {
		if p.list == list {
			all = append(all, p.item)
		}
	}
	return all
}

func (d *document) find(list, name string) *entry {
	for _, e := range d.entries(list) {
		if name != "" && e.Name == name {
			return e
		}
	}
	return nil
}
