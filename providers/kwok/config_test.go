package kwok

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestConfigFor(t *testing.T) {
	t.Parallel()
	got, err := configFor(providers.Spec{
		Name: "demo", Workers: 2, ControlPlanes: 1, KubernetesVersion: "v1.37.2",
		Wants:  providers.Wants{ControlPlaneMetrics: true, NoIngress: true, NoMetricsServer: true},
		Native: []byte("kind: Policy\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := engineConfig{
		APIVersion: "lab/v1alpha1", Kind: "EngineConfig",
		Name: "demo", ControlPlane: "demo-control-plane", Workers: 2, Native: "kind: Policy\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestConfigForRejectsUnsupportedSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*providers.Spec)
		kind   error
		hint   string // part of it
	}{
		{"a path for a name", func(s *providers.Spec) { s.Name = "../demo" }, fault.ErrInvalid, "demo"},
		{"-1 control planes", func(s *providers.Spec) { s.ControlPlanes = -1 }, fault.ErrInvalid, ""},
		{"-1 workers", func(s *providers.Spec) { s.Workers = -1 }, fault.ErrInvalid, ""},
		{"5001 workers", func(s *providers.Spec) { s.Workers = 5001 }, fault.ErrInvalid, ""},
		{"2 control planes", func(s *providers.Spec) { s.ControlPlanes = 2 }, fault.ErrUnsupported, "--flavor kind"},
		{"a port", func(s *providers.Spec) { s.Ports = []providers.Port{{Host: 80, Container: 80}} }, fault.ErrUnsupported, "--port"},
		{"a mount", func(s *providers.Spec) { s.Mounts = []providers.Mount{{Host: "/a", Node: "/b"}} }, fault.ErrUnsupported, "--mount"},
		{"a node image", func(s *providers.Spec) { s.NodeImage = "kindest/node" }, fault.ErrUnsupported, "--image"},
		{"a driver", func(s *providers.Spec) { s.Driver = "docker" }, fault.ErrUnsupported, "minikube"},
		{"a CA file", func(s *providers.Spec) { s.CAFile = "/ca.pem" }, fault.ErrUnsupported, "CA file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := providers.Spec{Name: "demo"}
			tt.change(&spec)
			_, err := configFor(spec)
			if !errors.Is(err, tt.kind) {
				t.Errorf("error is %v, want one that is %q", err, tt.kind)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint is %q, want one with %q", hint, tt.hint)
			}
		})
	}
}

func TestLocalizeReadsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "audit.yaml"), []byte("kind: Policy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := New(Options{})
	for name, tt := range map[string]struct{ text, want string }{
		"relative": {"kind: KwokctlConfiguration\noptions:\n  kubeAuditPolicy: audit.yaml\n---\nkind: Other\n",
			"kind: KwokctlConfiguration\noptions:\n    kubeAuditPolicy: \"\"\n\n---\n\nkind: Other\n\n---\nkind: Policy\n"},
		"nothing to read": {"options: {kubeFeatureGates: A=true}\n", "options: {kubeFeatureGates: A=true}\n"},
		"not YAML":        {"a: [", "a: ["},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, string(p.Localize([]byte(tt.text), dir))); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatchVersion(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]bool{
		"v1.37.2": true, "1.37.2": true,
		"v1.37.1": false, "v1.37": false, "v1.37.20": false, "1": false, "": false,
	} {
		err := matchVersion(asked, "v1.37.2")
		if got := err == nil; got != want {
			t.Errorf("asked for %q: %v", asked, err)
		}
		if err != nil && (!errors.Is(err, fault.ErrUnsupported) || fault.HintOf(err) == "") {
			t.Errorf("asked for %q: %v is not ErrUnsupported with a hint", asked, err)
		}
	}
}
