package kubeconfig_test

import (
	"bytes"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
)

// FuzzMerge checks that Merge refuses a file and changes no byte, or that the file then has the new
// entries and all that it had before. Remove restores the meaning of the file, and all its bytes if
// it was edited by lines.
func FuzzMerge(f *testing.F) {
	for _, text := range layouts() {
		f.Add(text)
	}
	for _, text := range oddLayouts() {
		f.Add(text)
	}
	mine := own("lab", "Y2E=")
	f.Fuzz(func(t *testing.T, text string) {
		files, path := home(t, text)
		before := entries([]byte(text))
		_, err := files.Merge(t.Context(), mine, kubeconfig.Options{SetCurrent: true})
		if err != nil {
			if got := content(t, path); got != text {
				t.Fatalf("Merge failed (%v) and changed the file to %q", err, got)
			}
			return
		}
		during := content(t, path)
		after := entries([]byte(during))
		for list, name := range map[string]string{"clusters": "kind-lab", "contexts": "kind-lab", "users": "kind-lab"} {
			if !hasItem(after[list], name) {
				t.Fatalf("%s lacks %s: %q", list, name, during)
			}
		}
		if err := files.Remove(t.Context(), "kind-lab", identity(t, mine)); err != nil {
			if got := content(t, path); got != during {
				t.Fatalf("Remove failed (%v) and changed the file to %q", err, got)
			}
			t.Fatalf("Remove after Merge: %v; %q", err, during)
		}
		got := content(t, path)
		compare(t, before, entries([]byte(got)), text, during, got)
		if kubeconfig.EditedByLines(text, mine) && returns(before) && got != text {
			t.Fatalf("edited by lines, but not restored: %q, then %q, then %q", text, during, got)
		}
	})
}

// returns reports whether Remove can restore the current context.
func returns(before map[string]yaml.Node) bool {
	current := before["current-context"]
	return empty(current) || hasItem(before["contexts"], current.Value)
}

// compare checks that two files have the same keys and values. Different forms of an empty value are
// equal.
func compare(t *testing.T, before, after map[string]yaml.Node, text, during, got string) {
	t.Helper()
	for key, a := range after {
		b, had := before[key]
		if empty(a) && (!had || empty(b)) {
			continue
		}
		if !had {
			if key != "apiVersion" && key != "kind" {
				t.Fatalf("key %q appeared: %q, then %q, then %q", key, text, during, got)
			}
			continue
		}
		if key == "current-context" && empty(a) && !hasItem(before["contexts"], b.Value) {
			continue // Remove does not restore a context that does not exist
		}
		if encoded(t, a) != encoded(t, b) {
			t.Fatalf("key %q changed: %q, then %q, then %q", key, text, during, got)
		}
	}
	for key, b := range before {
		if _, has := after[key]; !has && !empty(b) {
			t.Fatalf("key %q vanished: %q, then %q, then %q", key, text, during, got)
		}
	}
}

// empty reports whether n is null, an empty string or an empty list, or an alias of one.
func empty(n yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		return empty(*n.Alias)
	}
	return len(n.Content) == 0 && n.Alias == nil && (n.Value == "" || n.ShortTag() == "!!null")
}

// encoded returns the content of a node as text, without comments and styles.
func encoded(t *testing.T, n yaml.Node) string {
	t.Helper()
	var b bytes.Buffer
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		b.WriteString(n.ShortTag() + "\x00" + n.Value + "\x00(")
		for _, c := range n.Content {
			walk(c)
		}
		b.WriteString(")")
	}
	walk(&n)
	return b.String()
}

func entries(text []byte) map[string]yaml.Node {
	var m map[string]yaml.Node
	_ = yaml.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &m)
	return m
}

func hasItem(list yaml.Node, name string) bool {
	var items []map[string]any
	if list.Decode(&items) != nil {
		return strings.Contains(list.Value, name)
	}
	for _, item := range items {
		if item["name"] == name {
			return true
		}
	}
	return false
}

// oddLayouts returns kubeconfigs that cannot be edited by lines.
func oddLayouts() map[string]string {
	return map[string]string{
		"json":           `{"apiVersion":"v1","kind":"Config","clusters":[{"name":"dev","cluster":{"server":"https://dev"}}],"contexts":[{"name":"dev","context":{"cluster":"dev","user":""}}],"users":null,"current-context":"dev"}`,
		"pretty json":    "{\n    \"kind\": \"Config\",\n    \"clusters\": [\n        {\n            \"name\": \"dev\"\n        }\n    ]\n}\n",
		"braces":         "{}",
		"alias of null":  "0: &c\nclusters: *c",
		"null":           "null",
		"flow lists":     "clusters: [{name: dev, cluster: {server: x}}] # one\ncontexts: []\nusers:\n  []\n",
		"anchors":        "x: &c\n- name: dev\n  cluster: {server: x}\nclusters: *c\n",
		"anchor in list": "clusters:\n- &d\n  name: dev\n  cluster: &e {server: x}\n- <<: *d\n  name: dev2\n  cluster: *e\n",
		"dash alone":     "clusters:\n-\n  name: dev\nusers:\n-   name: me\n    user: {}\n",
		"quoted keys":    "\"clusters\":\n- name: dev\n'current-context': dev\n\"users\": []\n",
		"document end":   "kind: Config\n...\n",
		"tabs":           "clusters:\t\n- name:\tdev\n",
		"folded":         "current-context: >-\n  dev\nclusters: null\n",
		"mixed newlines": "kind: Config\r\nclusters:\n- name: dev\r\nusers: []\n",
		"lone return":    "\re:",
		"broken context": "current-context: dev\ncontexts:\n- context: nothing\n  name: dev\n",
		"nameless":       "contexts:\n- context: {}\nusers:\n- {}\n",
		"quoted null":    "s: x\n'current-context': ",
		"other breaks":   "kind: Config\rclusters:\r- name: dev\rusers: []\r",
	}
}
