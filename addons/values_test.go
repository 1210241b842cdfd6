package addons_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// clusters are the kinds of cluster that there are, by their traits.
func clusters() map[string]providers.Traits {
	all := []string{"etcd", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
	return map[string]providers.Traits{
		"kind":           {RunsPods: true, HostPorts: providers.HostPortsNode},
		"kind-monitored": {RunsPods: true, HostPorts: providers.HostPortsNode, ControlPlaneMetrics: all},
		"k3d":            {RunsPods: true, HostPorts: providers.HostPortsLoadBalancer, LoadBalancer: providers.LoadBalancerBuiltin},
		"minikube":       {RunsPods: true, HostPorts: providers.HostPortsNode, ControlPlaneMetrics: all[:2]},
		"kwok":           {},
	}
}

// TestValuesGolden holds what each chart of the catalogue is told on each kind of cluster.
func TestValuesGolden(t *testing.T) {
	t.Parallel()
	for _, a := range catalog(t).All() {
		for cluster, traits := range clusters() {
			t.Run(a.Name+"/"+cluster, func(t *testing.T) {
				t.Parallel()
				got, err := yaml.Marshal(a.ValuesFor(traits, nil))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", "values", a.Name, cluster+".golden"), got)
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

func TestParseSet(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]addons.Values{
		"hello.image=a:b":           {"image": "a:b"},
		"hello.replicas=2":          {"replicas": 2.0},
		"hello.on=true":             {"on": true},
		"hello.a.b=[x, 1]":          {"a": map[string]any{"b": []any{"x", 1.0}}},
		`hello.a\.b/c.d="1"`:        {"a.b/c": map[string]any{"d": "1"}},
		"hello.empty=":              {"empty": nil},
		"hello.url=http://x/?a=b#c": {"url": "http://x/?a=b#c"},
	} {
		addon, got, err := addons.ParseSet(s)
		if err != nil || addon != "hello" {
			t.Errorf("%s: %q, %v", s, addon, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
	for _, s := range []string{"", "hello", "hello=1", "hello.=1", ".a=1", "hello.a", "hello.a=[", "hello..b=1"} {
		if _, _, err := addons.ParseSet(s); !errors.Is(err, providers.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", s, err)
		}
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
		if _, err := addons.ParseValues([]byte(text)); !errors.Is(err, providers.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", text, err)
		}
	}
}
