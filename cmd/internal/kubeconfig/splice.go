package kubeconfig

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// splice replaces the lines from (counted from 0) up to, not including, to.
type splice struct {
	from, to int
	with     []string
}

// splice returns the text with all edits in it.
func (d *document) splice() string {
	var out []string
	at := 0
	slices.SortStableFunc(d.splices, func(a, b splice) int { return a.from - b.from })
	for _, s := range d.splices {
		if s.from < at {
			d.odd = true // two edits of one line
			return ""
		}
		out = append(append(out, d.lines[at:s.from]...), s.with...)
		at = s.to
	}
	return strings.Join(append(out, d.lines[at:]...), d.newline)
}

func (d *document) edit(from, to int, with ...string) {
	d.touched = true
	if from < 0 || to > len(d.lines) {
		d.odd = true
		return
	}
	d.splices = append(d.splices, splice{from, to, with})
}

// end is the index before which a new key goes: a final newline stays final.
func (d *document) end() int {
	if n := len(d.lines) - 1; d.lines[n] == "" {
		return n
	}
	return len(d.lines)
}

// margin is the indentation of the top-level keys.
func (d *document) margin() string {
	if len(d.root.Content) == 0 || d.root.Content[0].Column < 1 {
		return ""
	}
	return strings.Repeat(" ", d.root.Content[0].Column-1)
}

// emptyLine splits the line of key, `key: VALUE # comment`, where VALUE says
// "nothing": into all before it, VALUE with the blanks before it, and the rest.
func (d *document) emptyLine(key *yaml.Node) (before, value, rest string, ok bool) {
	if key.Line < 1 || key.Line > len(d.lines) {
		return "", "", "", false
	}
	line := d.lines[key.Line-1]
	before = strings.Repeat(" ", indentation(line)) + key.Value + ":"
	rest, ok = strings.CutPrefix(line, before)
	if !ok {
		return "", "", "", false
	}
	for _, nothing := range []string{" []", " null", " ~"} {
		if after, found := strings.CutPrefix(rest, nothing); found {
			value, rest = nothing, after
			break
		}
	}
	comment := strings.TrimLeft(rest, " \t")
	ok = comment == "" || comment[0] == '#' && comment != rest
	return before, value, rest, ok
}

// itemLines returns the extent of an item of a list in block style: from its dash
// up to the last line that is indented deeper and is no comment, which may belong
// to what follows.
func (d *document) itemLines(list, item *yaml.Node) (from, to int, ok bool) {
	from, dash := item.Line-1, list.Column-1
	if from < 0 || from >= len(d.lines) || indentation(d.lines[from]) != dash || !strings.HasPrefix(d.lines[from][dash:], "- ") {
		return 0, 0, false
	}
	to = from + 1
	for i := to; i < len(d.lines); i++ {
		line := strings.TrimSpace(d.lines[i])
		switch {
		case line == "" || line[0] == '#':
		case indentation(d.lines[i]) > dash:
			to = i + 1
		default:
			return from, to, true
		}
	}
	return from, to, true
}

func indentation(line string) int {
	return len(line) - len(strings.TrimLeft(line, " "))
}
