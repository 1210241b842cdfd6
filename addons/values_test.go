package addons_test

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// classes returns the traits on which the values of charts depend, by a name for each combination.
// A flavor whose clusters belong to one of these needs no golden files.
func classes() map[string]providers.Traits {
	all := []string{"etcd", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
	return map[string]providers.Traits{
		"node-ports":              {RunsPods: true, HostPorts: providers.HostPortsNode},
		"node-ports-all-metrics":  {RunsPods: true, HostPorts: providers.HostPortsNode, ControlPlaneMetrics: all},
		"node-ports-some-metrics": {RunsPods: true, HostPorts: providers.HostPortsNode, ControlPlaneMetrics: all[:2]},
		"load-balancer":           {RunsPods: true, HostPorts: providers.HostPortsLoadBalancer, LoadBalancer: providers.LoadBalancerBuiltin},
		"simulated":               {},
	}
}

// TestValuesGolden checks the values of each chart of the catalog, for each class of clusters.
func TestValuesGolden(t *testing.T) {
	t.Parallel()
	for _, a := range catalog(t).All() {
		for class, traits := range classes() {
			t.Run(a.Name+"/"+class, func(t *testing.T) {
				t.Parallel()
				got, err := yaml.Marshal(a.ValuesFor(traits, nil))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", "values", a.Name, class+".golden"), got)
			})
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make golden writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestValuesFor(t *testing.T) {
	t.Parallel()
	no, node := false, providers.HostPortsNode
	a := addons.Addon{
		Values: addons.Values{"a": "base", "m": addons.Values{"x": 1, "y": []any{1, 2}}},
		Overlays: []addons.Overlay{
			{When: addons.When{RunsPods: &no}, Values: addons.Values{"a": "simulated"}},
			{When: addons.When{HostPorts: &node, Lacks: "etcd"}, Values: addons.Values{"m": addons.Values{"x": 2}}},
		},
	}
	for what, test := range map[string]struct {
		traits providers.Traits
		own    addons.Values
		want   addons.Values
	}{
		"no overlay holds": {providers.Traits{RunsPods: true}, nil,
			addons.Values{"a": "base", "m": map[string]any{"x": 1, "y": []any{1, 2}}}},
		"simulated": {providers.Traits{}, nil,
			addons.Values{"a": "simulated", "m": map[string]any{"x": 1, "y": []any{1, 2}}}},
		"both conditions": {providers.Traits{RunsPods: true, HostPorts: node}, nil,
			addons.Values{"a": "base", "m": map[string]any{"x": 2, "y": []any{1, 2}}}},
		"one condition of two": {providers.Traits{RunsPods: true, HostPorts: node, ControlPlaneMetrics: []string{"etcd"}}, nil,
			addons.Values{"a": "base", "m": map[string]any{"x": 1, "y": []any{1, 2}}}},
		"the user's above all": {providers.Traits{}, addons.Values{"a": "mine", "m": map[string]any{"y": []any{3}}},
			addons.Values{"a": "mine", "m": map[string]any{"x": 1, "y": []any{3}}}},
	} {
		if diff := cmp.Diff(test.want, a.ValuesFor(test.traits, test.own)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if a.Values["a"] != "base" || a.Values["m"].(addons.Values)["x"] != 1 {
		t.Errorf("the addon itself was changed: %v", a.Values)
	}
}

// TestRequestKeepsNumbers: values keep integers and floating-point numbers when a record, which is
// JSON, stores them.
func TestRequestKeepsNumbers(t *testing.T) {
	t.Parallel()
	values := addons.Values{
		"int": int64(29111998), "float": 29111998.0, "small": 0.0, "part": 1.5, "large": 1e21, "text": "1.0", "none": nil,
		"list": []any{int64(1), 1.0, map[string]any{"x": int64(2), "y": 2.0}}, "map": map[string]any{"most": int64(math.MaxInt64)},
	}
	data, err := json.Marshal(addons.Request{Addon: addons.Addon{Name: "hello"}, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	var got addons.Request
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, got.Values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !values.Equal(got.Values) || values.Equal(addons.Merge(values, addons.Values{"int": 29111998.0})) {
		t.Error("Equal does not see what a chart sees")
	}
}

func TestParseValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]addons.Values{"a: {b: 1}": {"a": map[string]any{"b": 1.0}}, "": nil, "# none": nil} {
		got, err := addons.ParseValues([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"- a", "a", "a: ["} {
		if _, err := addons.ParseValues([]byte(text)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", text, err)
		}
	}
}
