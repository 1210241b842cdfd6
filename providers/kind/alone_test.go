package kind

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
)

// TestConfigurationFile checks that kind reads the configuration that lab writes for it as the same.
func TestConfigurationFile(t *testing.T) {
	t.Parallel()
	spec := providers.Spec{Name: "lab", Workers: 1, Ports: []providers.Port{{Host: 8080, Container: 80}}, Wants: providers.Wants{ControlPlaneMetrics: true}}
	config, err := configFor(spec.WithDefaults(), standard)
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
