package helm

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestSchemaReferences: a schema that refers to another document is refused, and the document is not read. References
// within the schema and to the standard are followed.
func TestSchemaReferences(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = w.Write([]byte(`{"type": "string"}`))
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "own.json")
	must(t, os.WriteFile(file, []byte(`{"type": "string"}`), 0o600))
	const local = `"$defs": {"count": {"type": "integer"}}, "properties": {"replicas": {"$ref": "#/$defs/count"}}`
	for _, c := range []struct{ what, schema, refused string }{
		{"a remote reference", `{"properties": {"replicas": {"$ref": "` + server.URL + `/a.json#/x"}}}`, server.URL + "/a.json"},
		{"a remote dialect", `{"$schema": "` + server.URL + `/dialect.json"}`, server.URL + "/dialect.json"},
		{"a relative reference to a remote name", `{"$id": "` + server.URL + `/x/own.json", "properties": {"a": {"$ref": "b.json"}}}`, server.URL + "/x/b.json"},
		{"a file", `{"properties": {"replicas": {"$ref": "file:///` + strings.TrimPrefix(filepath.ToSlash(file), "/") + `"}}}`, "own.json"},
		{"a relative reference", `{"properties": {"replicas": {"$ref": "other.json"}}}`, "file:///other.json"},
		{"a local reference", `{` + local + `}`, ""},
		{"a local reference in a schema with a remote name", `{"$id": "` + server.URL + `/own.json", ` + local + `}`, ""},
		{"a dialect of the standard", `{"$schema": "http://json-schema.org/draft-07/schema#", ` + local + `}`, ""},
		{"a reference to the standard", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"x": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}, ` + local + `}`, ""},
		{"a URN", `{"properties": {"x": {"$ref": "urn:example:any"}}, ` + local + `}`, ""},
	} {
		r := addons.Release{
			Addon:  addons.Addon{Name: "shop"},
			Chart:  addontest.Chart("shop", "1.0.0", map[string]string{"values.schema.json": c.schema, "templates/cm.yaml": addontest.ConfigMap("shop", "x")}),
			Values: addons.Values{"replicas": 1, "x": "any", "a": "b"},
		}
		if strings.Contains(c.what, "to the standard") {
			r.Values["x"] = map[string]any{}
		}
		errs := map[string]error{"Check": (Installer{}).Check(r, "")}
		_, errs["Images"] = Images(r)
		_, errs["definitionsOf"] = definitionsOf(r)
		for how, err := range errs {
			switch {
			case c.refused == "" && err != nil:
				t.Errorf("%s: %s: %v", c.what, how, err)
			case c.refused != "" && (!errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), c.refused) || !strings.Contains(fault.HintOf(err), "#/$defs/")):
				t.Errorf("%s: %s: %v, hint %q", c.what, how, err, fault.HintOf(err))
			}
		}
		r.Values["replicas"] = "many"
		if err := (Installer{}).Check(r, ""); c.refused == "" && !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: the schema accepts wrong values", c.what)
		}
	}
	if n := requests.Load(); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// TestSchemaReferenceOfDependency: the schema of a dependency counts, unless values disable the dependency.
func TestSchemaReferenceOfDependency(t *testing.T) {
	t.Parallel()
	chart := addontest.Chart("shop", "1.0.0", map[string]string{
		"Chart.yaml":                       "{apiVersion: v2, name: shop, version: 1.0.0, dependencies: [{name: db, version: 1.0.0, condition: db.enabled}]}",
		"charts/db/Chart.yaml":             "{apiVersion: v2, name: db, version: 1.0.0}",
		"charts/db/values.schema.json":     `{"properties": {"a": {"$ref": "https://example.com/a.json"}}}`,
		"charts/db/templates/nothing.yaml": "",
	})
	for enabled, wants := range map[bool]string{true: "shop/charts/db refers to https://example.com/a.json", false: ""} {
		err := (Installer{}).Check(addons.Release{Addon: addons.Addon{Name: "shop"}, Chart: chart, Values: addons.Values{"db": map[string]any{"enabled": enabled}}}, "")
		if wants == "" && err != nil || wants != "" && (err == nil || !strings.Contains(err.Error(), wants)) {
			t.Errorf("enabled is %t: %v", enabled, err)
		}
	}
}
