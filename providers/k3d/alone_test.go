package k3d

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
)

// TestConfigurationFile checks that k3d reads the configuration that lab writes for it as the same.
func TestConfigurationFile(t *testing.T) {
	t.Parallel()
	spec := providers.Spec{
		Name: "lab", Workers: 1, Ports: []providers.Port{{Host: 8080, Container: 80}}, Wants: providers.Wants{NoIngress: true},
		Mounts: []providers.Mount{{Host: "/src", Node: "/src"}},
	}
	config, err := configFor(spec.WithDefaults(), New(Options{}).opts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	read, err := parseNative(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(config, read); diff != "" {
		t.Errorf("-written +read:\n%s\n%s", diff, text)
	}
}
