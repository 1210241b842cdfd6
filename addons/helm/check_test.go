package helm

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestCheckTemplates: errors that every installation meets are found without a cluster. Those that may depend on the cluster, on
// what is in it, or on an earlier release are not.
func TestCheckTemplates(t *testing.T) {
	t.Parallel()
	const required = `{{ required "set x" .Values.x }}`
	for _, c := range []struct{ what, template, refused string }{
		{"a missing value", required, "execution error at (shop/templates/a.yaml:1:3): set x"},
		{"a missing value in a helper", `{{ include "shop.helper" . }}`, "set y"},
		{"a missing value in tpl", `{{ tpl "{{ .Values.a.b.c }}" . }}`, "nil pointer evaluating interface {}.b"},
		{"a missing value of a dependency", `{{ include "db.helper" . }}`, "set z"},
		{"a missing value for the name of the release", `{{ required (printf "set x of %s" .Release.Name) .Values.x }}`, "set x of shop"},
		{"a known version", `{{ if semverCompare ">=1.37.0" .Capabilities.KubeVersion.Version }}{{ fail "too new" }}{{ end }}`, "too new"},
		{"another name of a known version", `{{ if eq .Capabilities.KubeVersion.GitVersion "v1.37.2" }}{{ fail "too new" }}{{ end }}`, "too new"},
		{"a failure before the question", required + `{{ .Capabilities.APIVersions.Has "x/v1" }}`, "set x"},
		{"a failure although another template asks", `{{ fail "no" }}`, "no"},
		{"capabilities", `{{ if not (.Capabilities.APIVersions.Has "x/v1") }}{{ fail "no x" }}{{ end }}`, ""},
		{"capabilities as a list", `{{ if not (has "x/v1" .Capabilities.APIVersions) }}{{ fail "no x" }}{{ end }}`, ""},
		{"capabilities in a helper", `{{ include "shop.asks" . }}` + required, ""},
		{"lookup", `{{ if not (lookup "v1" "Secret" "shop" "x") }}{{ fail "no secret" }}{{ end }}`, ""},
		{"a new release", `{{ if .Release.IsInstall }}{{ fail "not new" }}{{ end }}`, ""},
		{"no upgrade", `{{ if not .Release.IsUpgrade }}{{ fail "new" }}{{ end }}`, ""},
		{"a revision", `{{ if eq .Release.Revision 1 }}{{ fail "new" }}{{ end }}`, ""},
		{"a random text", `{{ fail (randAlphaNum 20) }}`, ""},
		{"nothing", `a: {{ .Values.x | quote }}`, ""},
	} {
		err := (Installer{}).Check(addons.Release{Addon: addons.Addon{Name: "shop"}, Chart: addontest.Chart("shop", "1.0.0", map[string]string{
			"Chart.yaml":                 "{apiVersion: v2, name: shop, version: 1.0.0, dependencies: [{name: db, version: 1.0.0}]}",
			"templates/a.yaml":           c.template,
			"templates/_helpers.tpl":     `{{ define "shop.helper" }}{{ required "set y" .Values.y }}{{ end }}`,
			"templates/z.yaml":           `{{ define "shop.asks" }}{{ .Capabilities.APIVersions.Has "x/v1" }}{{ end }}{{ .Capabilities.APIVersions.Has "x/v1" }}`,
			"charts/db/Chart.yaml":       "{apiVersion: v2, name: db, version: 1.0.0}",
			"charts/db/templates/a.yaml": `{{ define "db.helper" }}{{ required "set z" .Values.z }}{{ end }}{{ lookup "v1" "Secret" "shop" "x" }}`,
		})}, "v1.37.2")
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s is refused: %v", c.what, err)
		case c.refused != "" && (!errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), c.refused) || !strings.Contains(fault.HintOf(err), "--set shop.PATH")):
			t.Errorf("%s: %v, hint %q", c.what, err, fault.HintOf(err))
		}
	}
}

// TestCheckVersion: a chart for another version of Kubernetes is refused if the version of the cluster is known.
func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		needs, has string
		refused    bool
	}{
		{"<1.20.0", "v1.37.2", true},
		{">=1.38.0-0", "v1.37.2", true},
		{">=1.37.0", "v1.37.2", false},
		{">=1.37.0 <1.38.0", "v1.37.2+k3s1", false},
		{"<1.20.0", "v1.37.2+k3s1", true},
		{"<1.20.0", "", false},
		{"", "v1.37.2", false},
	} {
		chart := "{apiVersion: v2, name: shop, version: 1.0.0, kubeVersion: '" + c.needs + "'}"
		r := addons.Release{Addon: addons.Addon{Name: "shop"}, Chart: addontest.Chart("shop", "1.0.0", map[string]string{"Chart.yaml": chart})}
		err := (Installer{}).Check(r, c.has)
		if c.refused != errors.Is(err, fault.ErrInvalid) || !c.refused && err != nil {
			t.Errorf("a chart for %q on %q: %v", c.needs, c.has, err)
		}
		if c.refused && (!strings.Contains(err.Error(), c.needs) || !strings.Contains(fault.HintOf(err), "--kubernetes-version")) {
			t.Errorf("a chart for %q on %q: %v, hint %q", c.needs, c.has, err, fault.HintOf(err))
		}
	}
}
