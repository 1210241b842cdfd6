package kubeconfig_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestInvalidFileStays(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, says string }{
		"not YAML":       {"a: b: c\n", "mapping values"},
		"tabs":           {"clusters:\n\t- name: x\n", "line 2"},
		"a list":         {"- a\n", "line 1: not a kubeconfig: must be a mapping"},
		"a scalar":       {"hello\n", "line 1: not a kubeconfig: must be a mapping"},
		"another kind":   {"kind: Pod\n", "kind must be Config"},
		"newer":          {"apiVersion: v2\n", "apiVersion must be v1"},
		"clusters a map": {"kind: Config\nclusters: {a: b}\n", "line 2: not a kubeconfig: clusters must be a list"},
		"a number":       {"contexts:\n- name: 1\n", "line 2: not a kubeconfig: name must be a string, as in name: \"1\""},
		"true":           {"users:\n- name: true\n", "name must be a string"},
		"current 1":      {"current-context: 1\n", "current-context must be a string"},
		"items scalars":  {"users:\n- a\n", "line 2: not a kubeconfig: each of users must be a mapping"},
		"current a map":  {"current-context: {}\n", "current-context must be a string"},
		"a loop":         {"users: &a [*a]\n", "contains itself"},
		"UTF-16":         {"\xff\xfek\x00", "UTF-8"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, path := home(t, tt.text)
			mine := own("lab", "Y2E=")
			_, err := f.Merge(t.Context(), mine, kubeconfig.Options{SetCurrent: true})
			_, current := f.Current()
			for call, err := range map[string]error{
				"Merge":   err,
				"Use":     f.Use(t.Context(), "kind-lab"),
				"Current": current,
				"Check":   f.Check(t.Context(), providers.Entries{}, "", ""),
			} {
				if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
					t.Errorf("%s: %v; want ErrInvalid that says %q, names the file and has a hint", call, err, tt.says)
				}
			}
			// A file that does not mention the cluster has no entry of it.
			remove(t, f, "kind-lab", mine)
			if got := content(t, path); got != tt.text {
				t.Errorf("the file was changed to %q", got)
			}
			noLeftovers(t, path)

			write(t, path, tt.text+"# kind-lab\n")
			if err := f.Remove(t.Context(), "kind-lab", identity(t, mine)); !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("Remove from a file that mentions the cluster: %v; want ErrInvalid", err)
			}
		})
	}
}

// Ambiguous files are read as kubectl reads them, and not edited.
func TestAmbiguousFileStays(t *testing.T) {
	t.Parallel()
	const one = "contexts: [{name: one, context: {cluster: one, user: one}}]\n"
	tests := map[string]struct{ text, says string }{
		"two documents":        {"current-context: one\n" + one + "---\ncurrent-context: two\n", "several YAML documents, of which kubectl reads only the first"},
		"broken second":        {"current-context: one\n" + one + "---\na: b: c\n", "several YAML documents"},
		"empty second":         {"current-context: one\n" + one + "---\n", "several YAML documents"},
		"current twice":        {"current-context: two\n" + one + "current-context: one\n", `the key "current-context" twice, in lines 1 and 3, of which kubectl reads only the last`},
		"list twice":           {"contexts: []\ncurrent-context: one\n" + one, `the key "contexts" twice, in lines 1 and 3`},
		"twice in an item":     {"current-context: one\n" + one + "clusters:\n- name: one\n  cluster:\n    server: a\n    server: b\n", `"server" twice, in lines 6 and 7`},
		"in JSON":              {`{"current-context": "two", "current-context": "one", "contexts": [{"name": "one"}]}`, `"current-context" twice`},
		"merge key at the top": {"x: &x {current-context: one}\n<<: *x\n" + one, "a merge key (<<) at the top, in line 2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, path := home(t, tt.text)
			// kubectl reads files with client-go.
			if c, err := clientcmd.LoadFromFile(path); err != nil || c.CurrentContext != "one" || c.Contexts["one"] == nil {
				t.Fatalf("kubectl reads %+v, %v", c, err)
			}
			if current, err := f.Current(); err != nil || current != "one" {
				t.Errorf("the current context is %q, %v", current, err)
			}
			mine := own("lab", "Y2E=")
			_, merged := f.Merge(t.Context(), mine, kubeconfig.Options{SetCurrent: true})
			for call, err := range map[string]error{
				"Merge":        merged,
				"Check":        f.Check(t.Context(), providers.Entries{}, "", ""),
				"SetNamespace": f.SetNamespace(t.Context(), "shop"),
			} {
				if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
					t.Errorf("%s: %v; want ErrInvalid that says %q, names the file and has a hint", call, err, tt.says)
				}
			}
			// These calls change nothing.
			if err := f.Use(t.Context(), "one"); err != nil {
				t.Error(err)
			}
			remove(t, f, "kind-lab", mine)
			if got := content(t, path); got != tt.text {
				t.Errorf("the file was changed to %q", got)
			}
			noLeftovers(t, path)
		})
	}
}

func TestConflictingEntriesStay(t *testing.T) {
	t.Parallel()
	others := string(own("lab", "b3RoZXI="))
	only := func(keep string) string { // one list of others
		_, rest, _ := strings.Cut(others, keep+":")
		return keep + ":" + rest[:strings.LastIndex(rest[:indexOfKey(rest)], "\n")+1]
	}
	for what, text := range map[string]string{
		"context": others,
		"cluster": only("clusters"),
		"user":    strings.Replace(only("users"), "Y2VydA==", "b3RoZXI=", 1),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f, path := home(t, text)
			mine := own("lab", "Y2E=")
			_, err := f.Merge(t.Context(), mine, kubeconfig.Options{})
			if !errors.Is(err, fault.ErrExists) || !strings.Contains(fault.HintOf(err), "delete-"+what+" kind-lab") {
				t.Errorf("Merge: %v, hint %q; want ErrExists about the %s", err, fault.HintOf(err), what)
			}
			remove(t, f, "kind-lab", mine)
			if got := content(t, path); got != text {
				t.Errorf("the entries of another cluster were changed to:\n%s", got)
			}
		})
	}
}

// indexOfKey returns where the next top-level key starts.
func indexOfKey(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i-1] == '\n' && text[i] >= 'a' {
			return i
		}
	}
	return len(text)
}

// Merge updates the entries of a cluster that moved to another port.
func TestMergeUpdatesEntries(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	// Fields that the user added to the context stay.
	write(t, path, strings.Replace(content(t, path), "    cluster: kind-lab\n", "    cluster: kind-lab\n    namespace: mine # today\n", 1))
	moved := []byte(strings.ReplaceAll(string(mine), "6443", "7443"))
	merge(t, f, moved)
	got := content(t, path)
	if !strings.Contains(got, "namespace: mine # today") || !strings.Contains(got, "127.0.0.1:7443") || strings.Contains(got, "127.0.0.1:6443") {
		t.Errorf("after the cluster moved:\n%s", got)
	}
	// The user changes the current context before the next lab up: Remove restores that one.
	if err := f.Use(t.Context(), "prod"); err != nil {
		t.Fatal(err)
	}
	merge(t, f, moved)
	remove(t, f, "kind-lab", moved)
	if diff := cmp.Diff(strings.Replace(theirs, "current-context: dev", "current-context: prod", 1), content(t, path)); diff != "" {
		t.Errorf("after all (-want +got):\n%s", diff)
	}
}

func TestRemoveRenamed(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	text := content(t, path)
	text = strings.Replace(text, "  name: kind-lab\n- context:\n    cluster: dev", "  name: renamed\n- context:\n    cluster: dev", 1)
	write(t, path, strings.Replace(text, "current-context: kind-lab", "current-context: renamed", 1))
	if now, _ := f.Current(); now != "renamed" {
		t.Fatalf("current is %q", now)
	}
	remove(t, f, "kind-lab", mine)
	if diff := cmp.Diff(theirs, content(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A user that a context of another cluster refers to stays.
func TestRemoveSharedUser(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	write(t, path, strings.Replace(content(t, path), "    user: kind-lab\n", "    user: me\n", 1))
	remove(t, f, "kind-lab", mine)
	if got := content(t, path); !strings.Contains(got, "- name: me\n") || strings.Contains(got, "cluster: kind-lab") {
		t.Errorf("after Remove:\n%s", got)
	}
}

func TestRemoveRestoresCurrentContext(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ change, want string }{
		"back":           {"", "dev"},
		"user switched":  {"prod", "prod"},
		"it was removed": {"gone", ""},
		"another of lab": {"bb", "kind-bb"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, path := home(t, theirs)
			aa := own("aa", "YWE=")
			merge(t, f, aa)
			switch tt.change {
			case "prod":
				if err := f.Use(t.Context(), "prod"); err != nil {
					t.Fatal(err)
				}
			case "gone":
				write(t, path, strings.Replace(content(t, path), "  name: dev\ncurr", "  name: dev2\ncurr", 1))
				write(t, path, strings.Replace(content(t, path), "    namespace: web\n  name: dev\n", "    namespace: web\n  name: other\n", 1))
			case "bb":
				merge(t, f, own("bb", "YmI="))
			}
			remove(t, f, "kind-aa", aa)
			if got, err := f.Current(); err != nil || got != tt.want {
				t.Errorf("current is %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestUseUnknown(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	if err := f.Use(t.Context(), "nowhere"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("%v; want ErrNotFound", err)
	}
	if got := content(t, path); got != theirs {
		t.Errorf("the file was changed to %s", got)
	}
}
