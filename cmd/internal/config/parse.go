package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// parser reads one file strictly: a misspelt key would otherwise be silently ignored.
type parser struct {
	path     string
	keys     []providers.Key
	into     *values
	header   map[string]string // by keyAPIVersion and keyKind
	problems []string          // each FILE:LINE:COLUMN: MESSAGE, as compilers print it
}

// parse reads the text of the file at path into v, and returns the problems that it found.
func (v *values) parse(path string, text []byte, keys []providers.Key) []string {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return []string{syntaxProblem(path, text, err)}
	}
	p := parser{path: path, keys: keys, into: v, header: map[string]string{}}
	if len(document.Content) > 0 {
		p.mapping(document.Content[0], "")
	}
	if len(p.problems) == 0 && (p.header[keyAPIVersion] != apiVersion || p.header[keyKind] != kind) {
		return []string{fmt.Sprintf("%s:1:1: the file must start with apiVersion: %s and kind: %s", path, apiVersion, kind)}
	}
	return p.problems
}

func (p *parser) problem(n *yaml.Node, format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf("%s:%d:%d: %s", p.path, n.Line, n.Column, fmt.Sprintf(format, args...)))
}

// mapping reads the keys below prefix, which is "" or ends in a full stop.
func (p *parser) mapping(n *yaml.Node, prefix string) {
	if n = resolve(n); n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.problem(n, "%s must be a mapping", cmp.Or(strings.TrimSuffix(prefix, "."), "the file"))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag == "!!merge" { // first, because the mapping's own keys override merged ones
			p.mapping(n.Content[i+1], prefix)
		}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			continue
		}
		if seen[key.Value] {
			p.problem(key, "duplicate key %q", key.Value)
		}
		seen[key.Value] = true
		p.value(key, value, prefix)
	}
}

// value reads the value of one key.
func (p *parser) value(key, value *yaml.Node, prefix string) {
	path := prefix + key.Value
	text, isText := scalar(value)
	known := slices.IndexFunc(p.keys, func(k providers.Key) bool { return k.Path == path })
	parent := slices.ContainsFunc(p.keys, func(k providers.Key) bool { return strings.HasPrefix(k.Path, path+".") })
	switch {
	case path == keyRegistries:
		if err := value.Decode(&p.into.registries); err != nil {
			p.problem(value, "registries must be a mapping of hosts to mirrors")
		}
	case path == keyAPIVersion || path == keyKind:
		p.header[path] = text
	case known < 0 && parent:
		p.mapping(value, path+".")
	case known < 0:
		p.unknown(key, prefix)
	case resolve(value).Tag == "!!null":
	case p.keys[known].List != nil:
		var list []string
		if err := value.Decode(&list); err != nil {
			p.problem(value, "%s must be a list of strings", path)
		}
		p.into.lists[path] = list
	case !isText:
		p.problem(value, "%s must be a string", path)
	default:
		p.into.texts[path] = text
	}
}

func (p *parser) unknown(key *yaml.Node, prefix string) {
	siblings := []string{}
	if prefix == "" {
		siblings = append(siblings, keyAPIVersion, keyKind, keyRegistries)
	}
	for _, k := range p.keys {
		if rest, ok := strings.CutPrefix(k.Path, prefix); ok {
			name, _, _ := strings.Cut(rest, ".")
			siblings = append(siblings, name)
		}
	}
	if near := fault.Nearest(key.Value, siblings); near != "" {
		p.problem(key, "unknown key %q; did you mean %q?", prefix+key.Value, prefix+near)
		return
	}
	p.problem(key, "unknown key %q", prefix+key.Value)
}

// scalar returns the text of a scalar.
func scalar(n *yaml.Node) (text string, ok bool) {
	n = resolve(n)
	return n.Value, n.Kind == yaml.ScalarNode && n.Tag != "!!null"
}

// resolve returns the node that an alias stands for, or n itself.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// syntaxProblem returns the problem that the YAML parser found. The parser reports only the line; the
// column is that of the line's first word.
func syntaxProblem(path string, text []byte, err error) string {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(message)
	if m == nil {
		return path + ":1:1: " + message
	}
	number, _ := strconv.Atoi(m[1])
	fromZero := regexp.MustCompile(`^did not find expected (node content|key|<document start>|'-' indicator|',' or)`)
	if fromZero.MatchString(m[2]) {
		number++ // go.yaml.in/yaml/v3 counts the lines of these errors from 0
	}
	lines := strings.Split(string(text), "\n")
	number = min(max(number, 1), len(lines))
	line := lines[number-1]
	column := len(line) - len(strings.TrimLeft(line, " ")) + 1
	return fmt.Sprintf("%s:%d:%d: %s", path, number, column, m[2])
}
