package kubeconfig_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const twoContexts = `# mine
apiVersion: v1
kind: Config
current-context: work
contexts:
- name: work   # the one at work
  context:
    cluster: c
    user: u
- name: home
  context: {cluster: c, user: u, namespace: attic}
clusters: []
users: []
`

func TestNamespace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(twoContexts), 0o600); err != nil {
		t.Fatal(err)
	}
	f := kubeconfig.Files{Paths: []string{path}}
	is := func(want string) {
		t.Helper()
		if got, err := f.Namespace(); got != want || err != nil {
			t.Errorf("the namespace is %q, %v; want %q", got, err, want)
		}
	}
	is("default")
	if err := f.SetNamespace(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	is("shop")
	// Everything else is unchanged.
	want := `# mine
apiVersion: v1
kind: Config
current-context: work
contexts:
- context:
    cluster: c
    namespace: shop
    user: u
  name: work
- name: home
  context: {cluster: c, user: u, namespace: attic}
clusters: []
users: []
`
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := f.Use(t.Context(), "home"); err != nil {
		t.Fatal(err)
	}
	is("attic")
}

// The namespace that the user chose stays when the cluster is added again, with another address and
// another default namespace.
func TestNamespaceStays(t *testing.T) {
	t.Parallel()
	for name, text := range layouts() {
		f, path := home(t, text)
		before := own("a", "Y2E=")
		merge(t, f, before)
		if err := f.SetNamespace(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		after := bytes.Replace(before, []byte("127.0.0.1:6443"), []byte("127.0.0.1:7443"), 1)
		after = bytes.Replace(after, []byte("    user: kind-a\n"), []byte("    namespace: default\n    user: kind-a\n"), 1)
		merge(t, f, after)
		if got, err := f.Namespace(); got != "shop" || err != nil {
			t.Errorf("%s: the namespace is %q, %v", name, got, err)
		}
		if !strings.Contains(content(t, path), "7443") {
			t.Errorf("%s: the address is the old one", name)
		}
		remove(t, f, "kind-a", after)
		if diff := cmp.Diff(text, content(t, path)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

func TestNamespaceWithoutContext(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "current-context: nowhere\n"} {
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := kubeconfig.Files{Paths: []string{path}}
		_, err := f.Namespace()
		for _, err := range []error{err, f.SetNamespace(t.Context(), "shop")} {
			if !errors.Is(err, fault.ErrNotFound) || fault.HintOf(err) == "" {
				t.Errorf("%q: %v, want ErrNotFound with a hint", text, err)
			}
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Errorf("%q became %q", text, after)
		}
	}
}
