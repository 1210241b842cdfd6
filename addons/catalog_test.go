package addons_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func catalog(t *testing.T) addons.Catalog {
	t.Helper()
	c, err := addons.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBuiltin(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	want := []string{"cert-manager", "hello", "ingress-nginx", "kube-prometheus-stack", "logging", "metrics-server", "traefik"}
	if diff := cmp.Diff(want, names(c.All())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, a := range c.All() {
		if a.Summary == "" {
			t.Errorf("%s has no summary", a.Name)
		}
		for _, other := range slices.Concat(a.Needs, a.Conflicts) {
			if _, err := c.Get(other); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
		}
		if a.Chart.Builtin != "" {
			if _, err := addons.BuiltinChart(a.Chart.Builtin); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := addons.BuiltinChart("nope"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a chart that is not there: %v", err)
	}
}

// TestReadDir: the user's addons are added to the catalog, and override addons of the same names.
func TestReadDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "shop.yaml", "name: shop\nchart: {path: ./chart}\nneeds: [ingress-nginx]\n")
	write(t, dir, "mirror.yaml", "name: cert-manager\nchart: {oci: oci://registry.corp/cert-manager, version: v1.21.2}\n")
	c, err := catalog(t).ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	shop, _ := c.Get("shop")
	if shop.Chart.Path != filepath.Join(dir, "chart") || shop.In() != "shop" {
		t.Errorf("%+v", shop)
	}
	mirrored, _ := c.Get("cert-manager")
	if mirrored.Chart.OCI != "oci://registry.corp/cert-manager" || len(mirrored.Ready) == 0 || mirrored.Summary == "" {
		t.Errorf("it does not override the one of the catalog: %+v", mirrored)
	}
	if _, err := c.ReadDir(filepath.Join(dir, "nope")); err != nil {
		t.Errorf("no directory: %v", err)
	}
}

// TestExamples: the addons that the documentation offers are valid, and what they need is available.
func TestExamples(t *testing.T) {
	t.Parallel()
	c, err := catalog(t).ReadDir("../docs/examples/addons")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := c.Plan([]string{"elastic"}, nil)
	if diff := cmp.Diff([]string{"eck-operator", "elastic"}, names(plan)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestReadDirInvalid(t *testing.T) {
	t.Parallel()
	for content, says := range map[string]string{
		"name: x": "bad.yaml: the chart: it has 0 sources",
		"name: x\nchart: {path: a, oci: oci://b}":                           "bad.yaml:2:8: the chart: it has 2 sources",
		"name: x\nchart: {oci: ghcr.io/x, version: v1}":                     "oci://",
		"name: x\nchart: {oci: oci://ghcr.io/x}":                            "version",
		"name: x\nchart: {repository: ftp://x, name: x}":                    "URL",
		"name: x\nchart: {repository: https://x, version: v1}":              "the name of the chart in the repository is missing",
		"name: x\nchart: {repository: https://x, name: x}":                  "its version is missing",
		"name: x\nchart: {repository: oci://h/x, name: z, version: v1}":     "write oci: oci://h/x/z instead of",
		"name: x\nchart: {oci: https://h/x, version: v1}":                   "is an HTTP URL",
		"name: x\nchart: {oci: oci://h, version: v1}":                       "is not oci://HOST/PATH",
		"name: x\nchart: {oci: oci://h:5000/x/z:v2, version: v1}":           "write oci: oci://h:5000/x/z and version: v2",
		"name: x\nchart: {oci: 'oci://h/x@sha256:1', version: v1}":          "names a digest: write oci: oci://h/x and",
		"name: x\nchart: {oci: oci://h/x/, version: v1}":                    "ends with a slash",
		"name: x\nchart: {path: https://h/x.tgz}":                           "a URL is not a path",
		"name: X_\nchart: {path: a}":                                        "bad.yaml:1:7: the addon name",
		"name: x\nchart: {path: a}\nnamespace: A":                           "bad.yaml:3:12: the namespace name",
		"name: x\nchart: {path: a}\nvaluez: {}":                             `bad.yaml:3:1: unknown key "valuez"; did you mean values?`,
		"name: x\nchart: {path: a}\nprovides: [moon]":                       `bad.yaml:3:12: provides "moon" is unknown: it must be "ingress"`,
		"name: x\nchart: {path: a}\nready: [{}]":                            "bad.yaml:3:9: a ready check has 0 kinds",
		"name: x\nchart: {path: a}\nready: [{ingress: 80, api: {path: /}}]": "bad.yaml:3:9: a ready check has 2 kinds",
		"chart: {path: a}":                                      "bad.yaml:1:1: name is missing",
		"name: x\nname: y\nchart: {path: a}":                    `bad.yaml:2:1: duplicate key "name"`,
		"name: x\nchart: {oci: oci://h/x, version: 1.10}":       `bad.yaml:2:34: chart.version must be a string, not the number 1.10; quote it: "1.10"`,
		"name: x\nchart: {path: a}\n---\nname: y":               "bad.yaml:3:1: a second document starts here",
		"name: x\nchart: {path: a}\nsecrets: [{fixed: {a: 1}}]": "bad.yaml:3:23: secrets[0].fixed.a must be a string, not the number 1",
		"name: x\nvalues: &v {v: *v}":                           "bad.yaml:2:16: the file is too large",
		"[":                                                     "bad.yaml:1:1: invalid YAML: did not find expected node content",
	} {
		dir := t.TempDir()
		write(t, dir, "bad.yaml", content)
		_, err := addons.Catalog{}.ReadDir(dir)
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), dir) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v, want ErrInvalid, the file, and %q", content, err, says)
		}
	}
}

func TestGetHints(t *testing.T) {
	t.Parallel()
	for name, hint := range map[string]string{"nginx": "ingress-nginx?", "prometheus": "kube-prometheus-stack?", "qq": "lab addon list"} {
		_, err := catalog(t).Get(name)
		if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%s: %v (hint %q), want the hint %q", name, err, fault.HintOf(err), hint)
		}
	}
}

func names(all []addons.Addon) []string {
	var names []string
	for _, a := range all {
		names = append(names, a.Name)
	}
	return names
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
