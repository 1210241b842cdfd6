package profiles_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/profiles"
)

var update = flag.Bool("update", false, "write docs/lab.schema.json")

// TestSchema compares the published schema with the types.
func TestSchema(t *testing.T) {
	t.Parallel()
	const path = "../docs/lab.schema.json"
	want, err := profiles.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("make golden writes it (-is +should be):\n%s", diff)
	}
}

// TestSchemaDescribesKeys: each key has a description.
func TestSchemaDescribesKeys(t *testing.T) {
	t.Parallel()
	text, err := profiles.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	keys := 0
	var visit func(path string, v any)
	visit = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			for name, p := range properties {
				keys++
				if p.(map[string]any)["description"] == "" || p.(map[string]any)["description"] == nil {
					t.Errorf("%s.%s: no description", path, name)
				}
			}
			for name, child := range v {
				visit(path+"."+name, child)
			}
		case []any:
			for _, child := range v {
				visit(path, child)
			}
		}
	}
	visit("", root)
	if keys < 25 {
		t.Errorf("found %d keys only", keys)
	}
}
