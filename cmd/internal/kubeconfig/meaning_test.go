package kubeconfig_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
)

// Here an edit by lines leaves the last line of the removed entry, which looks like a comment. The
// result is valid YAML with another meaning, so all of the file is encoded again.
func TestWrongLineEditIsDetected(t *testing.T) {
	t.Parallel()
	const me = "users:\n- name: me\n  user:\n    note: |\n      mine\n"
	f, path := home(t, me)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	_, rest, _ := strings.Cut(content(t, path), "      mine\n")
	write(t, path, me+"- name: kind-lab\n  user:\n    client-certificate-data: Y2VydA==\n    note: |\n      theirs\n      # theirs too\n"+rest)
	remove(t, f, "kind-lab", mine)
	if diff := cmp.Diff(me, content(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	text := oddLayouts()["pretty json"]
	f, path := home(t, text)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	if got := content(t, path); !strings.HasPrefix(got, "{\n    \"kind\": \"Config\"") || !strings.Contains(got, `"name": "kind-lab"`) {
		t.Errorf("after Merge:\n%s", got)
	}
	remove(t, f, "kind-lab", mine)
	if diff := cmp.Diff(strings.TrimSpace(text), strings.TrimSpace(content(t, path))); diff != "" {
		t.Errorf("after Remove (-want +got):\n%s", diff)
	}
}

func TestLargeFile(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("contexts:\n")
	for i := range 3000 {
		b.WriteString("- name: context-" + strings.Repeat("x", 150) + string(rune('a'+i%26)) + strings.Repeat("y", i%100) + "\n  context: {cluster: c, user: u}\n")
	}
	text := b.String()
	f, path := home(t, text)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	remove(t, f, "kind-lab", mine)
	if content(t, path) != text {
		t.Error("a large file was not restored")
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	base := string(own("lab", "Y2E="))
	seen := map[string]string{identity(t, []byte(base)): "base"}
	for what, other := range map[string]string{
		"name":       string(own("lab2", "Y2E=")),
		"CA":         string(own("lab", "YWI=")),
		"address":    strings.ReplaceAll(base, "6443", "1"),
		"credential": strings.ReplaceAll(base, "Y2VydA==", "YWI="),
	} {
		id := identity(t, []byte(other))
		if same, ok := seen[id]; ok {
			t.Errorf("the %s is not part of the identity: it is that of %s", what, same)
		}
		seen[id] = what
	}
	for _, bad := range []string{"", "{}", "- a", "current-context: x\n"} {
		if id, err := kubeconfig.Identity([]byte(bad)); err == nil {
			t.Errorf("Identity(%q) = %q", bad, id)
		}
	}
}
