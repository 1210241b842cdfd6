package tools_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestBuiltin checks that every tool has a release for every platform that lab is built for, and
// that no two platforms have the same release.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	catalog, err := tools.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	sums := map[string]string{}
	for _, tool := range catalog {
		names = append(names, tool.Name)
		for _, platform := range []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"} {
			f, ok := tool.Files[platform]
			if !ok {
				t.Errorf("no %s for %s", tool.Name, platform)
				continue
			}
			where := tool.Name + " for " + platform
			if other := sums[f.SHA256]; other != "" {
				t.Errorf("%s has the checksum of %s", where, other)
			}
			sums[f.SHA256] = where
			fits(t, where, tool, platform, f)
		}
	}
	if got := strings.Join(names, " "); got != "kubectl helm k9s kubectx kubens" {
		t.Errorf("the tools are %s", got)
	}
}

// fits checks that the URL of a release names the tool, its version and the platform.
func fits(t *testing.T, where string, tool tools.Tool, platform string, f tools.File) {
	t.Helper()
	system, machine, _ := strings.Cut(platform, "/")
	url := strings.ToLower(f.URL)
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[machine]
	for _, part := range []string{tool.Name, tool.Version, system} {
		if !strings.Contains(url, part) {
			t.Errorf("%s: %q is not in %s", where, part, url)
		}
	}
	if !strings.Contains(strings.ReplaceAll(url, "x86_64", "amd64"), machine) || strings.Contains(strings.ReplaceAll(url, "x86_64", "amd64"), other) {
		t.Errorf("%s: %s", where, url)
	}
	program := f.Member + f.URL[len(f.URL)-len(".exe"):]
	if exe := strings.Contains(program, ".exe"); exe != (system == "windows") {
		t.Errorf("%s: the program is %q in %s", where, f.Member, url)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const sum = "65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8"
	const good = "[{name: k9s, what: w, version: v1.0.0, ask: [v], files: {linux/amd64: " +
		"{url: 'https://host/k9s.zip', sha256: " + sum + ", member: k9s, sources: [s]}}}]"
	if _, err := tools.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"name: k9s", "name: ../k9s"},
		{"name: k9s", "title: k9s"},
		{"what: w", "what: ''"},
		{"v1.0.0", "latest"},
		{"ask: [v]", "ask: []"},
		{"https://host", "http://host"},
		{"https://host/", "https:///"},
		{"https://host", "'https://ho st"},
		{sum, sum[1:]},
		{sum, strings.ToUpper(sum)},
		{", member: k9s", ""},
		{"k9s.zip", "k9s"},
		{"sources: [s]", "sources: []"},
		{"linux/amd64", "[linux"},
	} {
		_, err := tools.Parse([]byte(strings.Replace(good, change[0], change[1], 1)))
		if !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("with %s for %s: %v", change[1], change[0], err)
		}
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	catalog, err := tools.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for name, hint := range map[string]string{
		"kubect": "did you mean kubectl?", "k9": "did you mean k9s?", "helmm": "did you mean helm?", "kubesn": "did you mean kubens?",
		"terraform": "lab tools list", "": "lab tools list",
	} {
		_, err := catalog.Pick([]string{"helm", name})
		if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%q: %v, hint %q", name, err, fault.HintOf(err))
		}
	}
	for _, names := range [][]string{nil, {"k9s", "helm"}} {
		got, err := catalog.Pick(names)
		if want := len(names); err != nil || want > 0 && len(got) != want || want == 0 && len(got) != len(catalog) {
			t.Errorf("%q: %v, %v", names, got, err)
		}
	}
}
