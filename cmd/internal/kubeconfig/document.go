package kubeconfig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const byteOrderMark = "\ufeff"

// document is a kubeconfig file twice: as lines, which are edited where the
// change is, so that everything else stays as the user wrote it; and as a tree,
// which gets the same changes and says what the lines must mean in the end.
type document struct {
	path    string
	old     []byte // without byte order mark
	mark    string // the byte order mark, or ""
	newline string
	lines   []string // the last one is "" where the file ends with a newline
	root    *yaml.Node
	splices []splice
	odd     bool  // the layout defeats editing by lines
	touched bool  // there was an edit
	frozen  error // why lab does not edit a file that kubectl reads, or nil

	created, createdDir bool // there was no such file, or directory, until now
	unused, unusedDir   bool // and there need not be any more
}

// parse reads a kubeconfig. Its error is ErrInvalid and names path.
func parse(path string, data []byte) (*document, error) {
	d := &document{path: path, newline: "\n"}
	text, marked := bytes.CutPrefix(data, []byte(byteOrderMark))
	if marked {
		d.mark = byteOrderMark
	}
	d.old = text
	if !utf8.Valid(text) {
		return nil, d.invalid(errors.New("not UTF-8 text"))
	}
	if crlf := bytes.Count(text, []byte("\r\n")); crlf > 0 && crlf == bytes.Count(text, []byte("\n")) {
		d.newline = "\r\n"
	}
	d.lines = strings.Split(string(text), d.newline)
	d.odd = oddBreaks(string(text))
	root, frozen, err := decodeAsKubectl(text)
	if err != nil {
		return nil, d.invalid(err)
	}
	d.root = root
	if frozen != nil {
		d.frozen = d.uneditable(frozen)
	}
	if err := d.check(); err != nil {
		return nil, d.invalid(err)
	}
	return d, nil
}

// oddBreaks tells whether YAML counts lines in another way than we do.
func oddBreaks(text string) bool {
	return strings.Count(text, "\r") != strings.Count(text, "\r\n") || strings.ContainsAny(text, "\u0085\u2028\u2029")
}

// check refuses what is YAML, but no kubeconfig.
func (d *document) check() error {
	if d.root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a kubeconfig: must be a mapping", d.root.Line)
	}
	for key, want := range map[string]string{"kind": "Config", "apiVersion": "v1"} {
		if _, v := lookup(d.root, key); v != nil && !isEmpty(v) && deref(v).Value != want {
			return fmt.Errorf("line %d: not a kubeconfig: %s must be %s", v.Line, key, want)
		}
	}
	for _, list := range lists() {
		if err := checkList(d.root, list); err != nil {
			return err
		}
	}
	if _, v := lookup(d.root, currentContext); v != nil && deref(v).Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: not a kubeconfig: %s must be a string", v.Line, currentContext)
	}
	return nil
}

func checkList(root *yaml.Node, list string) error {
	_, value := lookup(root, list)
	if value == nil || isNull(deref(value)) {
		return nil
	}
	if deref(value).Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: not a kubeconfig: %s must be a list", value.Line, list)
	}
	for _, item := range deref(value).Content {
		if deref(item).Kind != yaml.MappingNode {
			return fmt.Errorf("line %d: not a kubeconfig: each of %s must be a mapping", item.Line, list)
		}
	}
	return nil
}

func (d *document) invalid(err error) error {
	err = fault.Errorf(fault.ErrInvalid, "cannot read the kubeconfig %s: %w", d.path, err)
	return fault.WithHint(err, "correct the file, or use another one: export KUBECONFIG=FILE")
}

// uneditable is the error of a file that kubectl reads and lab does not edit.
func (d *document) uneditable(why error) error {
	err := fault.Errorf(fault.ErrInvalid, "lab does not edit the kubeconfig %s: it %w", d.path, why)
	return fault.WithHint(err, "write what kubectl reads to another file, and use that: kubectl config view --raw --kubeconfig %s > FILE && export KUBECONFIG=FILE", fault.ShellWord(d.path))
}

// result returns the edited file. Whatever way it was edited, it is read again and
// compared with what it must mean, and an error returned rather than a wrong file.
func (d *document) result() ([]byte, error) {
	if !d.touched {
		return append([]byte(d.mark), d.old...), nil
	}
	if d.frozen != nil {
		return nil, d.frozen
	}
	if text := []byte(d.splice()); !d.odd && d.means(text) {
		return append([]byte(d.mark), text...), nil
	}
	text, err := encodeNode(d.root, d.old)
	if err != nil {
		return nil, d.uneditable(err)
	}
	if !d.means(text) {
		return nil, d.uneditable(errors.New("has a layout that cannot be edited safely"))
	}
	if d.newline != "\n" {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte(d.newline))
	}
	return append([]byte(d.mark), text...), nil
}

func (d *document) means(text []byte) bool {
	root, err := decodeRoot(text)
	return err == nil && equal(root, d.root)
}

// current returns the name of the current context, or "".
func (d *document) current() string {
	if _, v := lookup(d.root, currentContext); v != nil && !isNull(deref(v)) {
		return deref(v).Value
	}
	return ""
}

// hasEntries tells whether the file still says anything: if not, it is as good as
// no file.
func (d *document) hasEntries() bool {
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		switch d.root.Content[i].Value {
		case "apiVersion", "kind":
		default:
			if !isEmpty(d.root.Content[i+1]) {
				return true
			}
		}
	}
	return false
}
