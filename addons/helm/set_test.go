package helm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/cli"
	helmvalues "helm.sh/helm/v3/pkg/cli/values"
	chartgetter "helm.sh/helm/v3/pkg/getter"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestSetAsHelm compares Set with Helm for the same texts.
func TestSetAsHelm(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("two\nlines\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const base = "list: [{x: 1, y: 1}, b]\nimage: {tag: 1.10}\nbig: 29111998\n"
	text := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(text, []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	given, err := addons.ParseValues([]byte(base))
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]helmvalues.Options{
		"a version":         {Values: []string{"x=1.10"}},
		"a leading zero":    {Values: []string{"x=0474915"}},
		"an integer":        {Values: []string{"x=10485760", "y=29111998"}},
		"yes and no":        {Values: []string{"x=no", "y=true", "z=False"}},
		"a date":            {Values: []string{"x=2024-01-15"}},
		"an index":          {Values: []string{"list[0].x=2"}},
		"an index behind":   {Values: []string{"list[3]=c", "more[1].a=1"}},
		"two in one":        {Values: []string{"a=1,b=2", "x=a=1,c=2"}},
		"a list":            {Values: []string{"x={a,b}", "y={1,2.5},z=3"}},
		"nothing":           {Values: []string{"x="}},
		"null":              {Values: []string{"image=null", "big=null"}},
		"escapes":           {Values: []string{`x=a\,b`, `a\.b/c.d=1`, `y=\{a`}},
		"an equals sign":    {Values: []string{"url=http://x/?a=b#c"}},
		"deep":              {Values: []string{"a.b.c=1", "a.b.d=2", "image.name=x"}},
		"a string":          {StringValues: []string{"x=29111998", "y=true,z=null"}},
		"json":              {JSONValues: []string{`x={"a":[1,2.5,"b",null]}`, `y=29111998,z="a,b"`}},
		"a file":            {FileValues: []string{"x=" + file}},
		"literally":         {LiteralValues: []string{`x=a,d={c}\.`}},
		"in Helm's order":   {Values: []string{"x=1"}, StringValues: []string{"x=2"}, JSONValues: []string{"x=3"}, FileValues: []string{"x=" + file}},
		"one after another": {Values: []string{"x=1", "x=2"}},
	} {
		o.ValueFiles = []string{text}
		want, err := o.MergeValues(chartgetter.All(cli.New()))
		if err != nil {
			t.Fatalf("%s: helm: %v", name, err)
		}
		sets := addons.Sets{
			JSON: prefixed(o.JSONValues), Values: prefixed(o.Values), Strings: prefixed(o.StringValues),
			Files: prefixed(o.FileValues), Literals: prefixed(o.LiteralValues),
		}
		got, err := Set(map[string]addons.Values{"hello": given, "other": nil}, sets, os.ReadFile)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(addons.Values(want), got["hello"]); diff != "" {
			t.Errorf("%s (-helm +lab):\n%s", name, diff)
		}
	}
	if want, _ := addons.ParseValues([]byte(base)); !given.Equal(want) {
		t.Errorf("Set changed its argument: %v", given)
	}
}

// prefixed puts an addon before each path: those behind commas, too.
func prefixed(texts []string) []string {
	var all []string
	for _, text := range texts {
		for _, path := range []string{"b=", "c=", "z="} {
			text = strings.Replace(text, ","+path, ",hello."+path, 1)
		}
		all = append(all, "hello."+text)
	}
	return all
}

// TestCheck: Check finds the errors that do not depend on a cluster, and no others.
func TestCheck(t *testing.T) {
	t.Parallel()
	const schema = `{"properties": {"replicas": {"type": "integer"}}}`
	for name, test := range map[string]struct {
		files  map[string]string
		values addons.Values
		want   string // "" where the chart is good
	}{
		"good":                   {map[string]string{"templates/a.yaml": "a: {{ .Values.x }}"}, nil, ""},
		"a template that is not": {map[string]string{"templates/a.yaml": "a: {{ if }}"}, nil, "parse error at (hello/templates/a.yaml:1)"},
		"a schema":               {map[string]string{"values.schema.json": schema}, addons.Values{"replicas": "two"}, "replicas"},
		"a schema that is met":   {map[string]string{"values.schema.json": schema}, addons.Values{"replicas": 2.0}, ""},
		"what clusters may have": {map[string]string{"templates/a.yaml": `{{ if not (lookup "v1" "Secret" "a" "b") }}{{ fail "this cluster lacks it" }}{{ end }}`}, nil, ""},
	} {
		r := addons.Release{Addon: addons.Addon{Name: "hello"}, Chart: addontest.Chart("hello", "1.0.0", test.files), Values: test.values}
		err := Installer{}.Check(r, "")
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestSetRejects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                  `"" is not ADDON.PATH`,
		"hello":             `"hello" is not ADDON.PATH`,
		"hello=1":           `"hello" is not ADDON.PATH`,
		"hello.=1":          `"hello." is not ADDON.PATH`,
		".a=1":              `".a" is not ADDON.PATH`,
		"=1":                `"" is not ADDON.PATH`,
		"hello.a":           "has no value",
		"hello..b=1":        `"hello..b" is not ADDON.PATH`,
		"hello[0].a=1":      `"hello[0].a" is not ADDON.PATH`,
		"hello.a=1,b=2":     `"b" is not ADDON.PATH`,
		"hello.a={1":        "list must terminate",
		"hello.a[-1]=1":     "negative",
		"hello.text[0].x=1": "cannot read --set",
	} {
		_, err := Set(map[string]addons.Values{"hello": {"text": "x"}}, addons.Sets{Values: []string{text}}, os.ReadFile)
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v (hint %q), want %s", text, err, fault.HintOf(err), want)
		}
	}
	_, err := Set(nil, addons.Sets{Values: []string{"hello.password=s3cret,x"}}, os.ReadFile)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error contains a secret: %v", err)
	}
}
