//go:build e2e && unix

package kwok

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	helmcli "helm.sh/helm/v3/pkg/cli"
	helmvalues "helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/getter"
	"sigs.k8s.io/yaml"
)

// TestValues passes the same values to Helm and to lab, by lab.yaml, by flags and from the record, for a chart that
// prints its values. The file determines the values, and diff reports differences.
func TestValues(t *testing.T) {
	p := newUser(t)
	root := t.TempDir()
	chart, file := filepath.Join(root, "print"), filepath.Join(root, "lab.yaml")
	write := func(path, text string) string {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("print/Chart.yaml", "apiVersion: v2\nname: print\nversion: 1.0.0\n")
	write("print/values.yaml", "image: {tag: v0}\nenabled: true\nbig: 0\nlist: [{x: 1}]\n")
	const template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: print}\ndata:\n" +
		"  tag: {{ .Values.image.tag | toString | quote }}\n  on: {{ if .Values.enabled }}\"on\"{{ else }}\"off\"{{ end }}\n" +
		"  big: {{ .Values.big | toString | quote }}\n  all: |\n{{ .Values | toYaml | indent 4 }}\n"
	write("print/templates/map.yaml", template)
	const values = "image: {tag: 2024-01-15}\nenabled: no\nbig: 29111998\nold: 1\n"
	lab := func(values string) string {
		return write("lab.yaml", "apiVersion: lab/v1alpha1\nkind: Lab\nname: print\nflavor: kwok\naddons:\n- name: print\n"+
			"  namespace: team-payments-preview-feature-1234-eu\n  chart: {path: ./print}\n  values:\n    "+
			strings.TrimSpace(strings.ReplaceAll(values, "\n", "\n    "))+"\n")
	}
	same := func(what, values string, set ...string) {
		t.Helper()
		var got, want struct{ Data map[string]string }
		text := p.kubectl("print", "get", "configmap", "print", "--namespace", "team-payments-preview-feature-1234-eu", "-o", "yaml")
		if err := yaml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(rendered(t, chart, write("values.yaml", values), set)), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Data, got.Data); diff != "" {
			t.Errorf("%s (-helm +lab):\n%s", what, diff)
		}
	}

	p.Must("up", "-f", lab(values))
	same("lab.yaml", values)
	p.Must("diff", "-f", file)

	write("print/templates/map.yaml", template+"  second: up\n")
	p.fails(8, nil, "diff", "-f", file)
	p.Must("up", "print")
	same("from the record", values)
	p.Must("diff", "-f", file)
	p.kubectl("print", "delete", "configmap", "print", "--namespace", "team-payments-preview-feature-1234-eu")
	p.fails(8, nil, "diff", "-f", file)

	const less = "image: {tag: 2024-01-15}\nenabled: no\nbig: 29111998\n"
	lab(less)
	p.fails(8, nil, "diff", "-f", file)
	p.Must("up", "-f", file)
	same("a value that is gone", less)
	p.Must("diff", "-f", file)

	set := []string{"big=29111998,image.tag=1.10", "list[0].x=2", "a=0474915,b={c,d}"}
	args := []string{"up", "-f", file}
	for _, s := range set {
		args = append(args, "--set", "print."+strings.NewReplacer(",image", ",print.image", ",b=", ",print.b=").Replace(s))
	}
	p.Must(args...)
	same("--set", less, set...)
	write("print/templates/map.yaml", template+"  third: up\n")
	p.Must("up", "print")
	same("--set, from the record", less, set...)

	write("print/templates/map.yaml", template+"{{ if }}\n")
	p.fails(2, []string{"addon print", "parse error at (print/templates/map.yaml"}, "up", "other", "-f", file)
	p.fails(2, []string{"lab.yaml: addon print"}, "profile", "validate", file)
	p.Must("down", "print")
}

// rendered returns the chart's template as Helm renders it.
func rendered(t *testing.T, chart, values string, set []string) string {
	t.Helper()
	loaded, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	options := helmvalues.Options{ValueFiles: []string{values}, Values: set}
	given, err := options.MergeValues(getter.All(helmcli.New()))
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(loaded, given, chartutil.ReleaseOptions{Name: "print"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(loaded, all)
	if err != nil {
		t.Fatal(err)
	}
	return files["print/templates/map.yaml"]
}
