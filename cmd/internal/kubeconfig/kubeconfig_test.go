package kubeconfig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
)

// own returns the kubeconfig that a provider returns for a cluster.
func own(name, ca string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://127.0.0.1:6443
  name: kind-%[2]s
contexts:
- context:
    cluster: kind-%[2]s
    user: kind-%[2]s
  name: kind-%[2]s
current-context: kind-%[2]s
users:
- name: kind-%[2]s
  user:
    client-certificate-data: Y2VydA==
    client-key-data: a2V5
`, ca, name)
}

const theirs = `# My clusters; do not touch.
apiVersion: v1
kind: Config
preferences: {colors: true}
clusters:
# production
- cluster: {server: "https://prod:6443"}   # quoted
  name: prod

- name: "dev"
  cluster:
    server: https://dev:6443
    future-field: 0x10
# after dev
contexts:
- context:
    cluster: dev
    user: me
    namespace: web
  name: dev
- context: {cluster: prod, user: me}
  name: prod
current-context: dev # not prod
users:
- name: me
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: login
      args: [--scope, 'a b']
      note: |
        # no comment
        two lines

# the end
`

// layouts returns files that Remove must restore byte for byte after Merge.
func layouts() map[string]string {
	skeleton := "apiVersion: v1\nclusters: %[1]s\ncontexts: %[1]s\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: %[1]s\n"
	return map[string]string{
		"empty":              "",
		"newline":            "\n",
		"comment":            "# nothing yet",
		"head only":          "apiVersion: v1\nkind: Config\n",
		"theirs":             theirs,
		"indented lists":     deeper(theirs),
		"all indented":       "  " + strings.ReplaceAll(strings.TrimSuffix(theirs, "\n"), "\n", "\n  ") + "\n",
		"no final newline":   strings.TrimSuffix(theirs, "\n\n# the end\n"),
		"CRLF":               strings.ReplaceAll(theirs, "\n", "\r\n"),
		"CRLF, no final":     strings.ReplaceAll("apiVersion: v1\nkind: Config", "\n", "\r\n"),
		"byte order mark":    "\ufeff" + theirs,
		"skeleton null":      fmt.Sprintf(skeleton, "null"),
		"skeleton []":        fmt.Sprintf(skeleton, "[]"),
		"skeleton ~":         fmt.Sprintf(skeleton, "~"),
		"skeleton blank":     strings.ReplaceAll(fmt.Sprintf(skeleton, ""), ": \n", ":\n"),
		"skeleton comments":  fmt.Sprintf(skeleton, "[] # none yet"),
		"current null":       "kind: Config\ncurrent-context: null # none\n",
		"current blank":      "kind: Config\ncurrent-context:\n",
		"current quoted":     strings.Replace(theirs, "current-context: dev", `current-context: "dev"`, 1),
		"current in quotes":  strings.Replace(theirs, "current-context: dev", `current-context: 'dev'`, 1),
		"current far off":    "current-context:   dev\ncontexts:\n-   context: {}\n    name: dev\n",
		"document start":     "---\n" + theirs,
		"no current":         strings.Replace(theirs, "current-context: dev # not prod\n", "", 1),
		"deep comments":      strings.ReplaceAll(deeper(theirs), "# production", "      # production"),
		"blank lines at end": theirs + "\n\n\n",
	}
}

// deeper indents the items of lists.
func deeper(text string) string {
	var out []string
	inside := false
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "- "):
			inside = true
		case line != "" && line[0] != ' ' && line[0] != '#':
			inside = false
		}
		if inside && line != "" {
			line = "  " + line
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// home returns the kubeconfig of a new home directory, with that text.
func home(t testing.TB, text string) (kubeconfig.Files, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".kube", "config")
	write(t, path, text)
	return kubeconfig.Files{Paths: []string{path}}, path
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func identity(t testing.TB, own []byte) string {
	t.Helper()
	id, err := kubeconfig.Identity(own)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func merge(t testing.TB, f kubeconfig.Files, own []byte) kubeconfig.Merged {
	t.Helper()
	m, err := f.Merge(t.Context(), own, kubeconfig.Options{SetCurrent: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func remove(t testing.TB, f kubeconfig.Files, context string, own []byte) {
	t.Helper()
	if err := f.Remove(t.Context(), context, identity(t, own)); err != nil {
		t.Fatal(err)
	}
}
