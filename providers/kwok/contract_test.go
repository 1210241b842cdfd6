//go:build linux || darwin

package kwok

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

var (
	_ providers.StartStopper = (*Provider)(nil)
	_ providers.LogExporter  = (*Provider)(nil)
	_ providers.Snapshotter  = (*Provider)(nil)
)

func TestContract(t *testing.T) {
	root := filepath.Join(t.TempDir(), "kwok")
	engine := filepath.Join(t.TempDir(), engineName)
	become := func(t *testing.T, behavior ...string) {
		if err := errors.Join(os.RemoveAll(engine), os.Symlink(fakeEngine(t, behavior...), engine)); err != nil {
			t.Fatal(err)
		}
	}
	become(t, "good")
	fails := func(behavior ...string) func(*testing.T, *providers.Spec) {
		return func(failing *testing.T, _ *providers.Spec) {
			become(failing, behavior...)
			failing.Cleanup(func() { become(t, "good") })
		}
	}
	providertest.Run(t, func(*testing.T) providertest.Harness {
		return providertest.Harness{
			New:    func() providers.Provider { return New(Options{Dir: root, Engine: engine}) },
			Leaks:  func(t *testing.T, name string) []string { return leaks(t, root, name) },
			Cannot: []providertest.Ability{providertest.LoadImages},
			Invalid: map[string]func(*providers.Spec){
				"a long name":  func(s *providers.Spec) { s.Name += strings.Repeat("x", 40) },
				"-1 workers":   func(s *providers.Spec) { s.Workers = -1 },
				"6000 workers": func(s *providers.Spec) { s.Workers = 6000 },
			},
			Unsupported: map[string]func(*providers.Spec){
				"three control planes": func(s *providers.Spec) { s.ControlPlanes = 3 },
				"another version":      func(s *providers.Spec) { s.KubernetesVersion = "v1.30.0" },
			},
			Failures: map[string]func(*testing.T, *providers.Spec){
				"an engine that dies":       fails("die"),
				"an engine that panics":     fails("panic"),
				"an engine that goes quiet": fails("mute", "deaf"),
			},
			Unavailable: New(Options{Dir: root, Engine: filepath.Join(root, "none")}),
			Context:     func(name string) string { return "kwok-" + name },
			Probe:       providertest.AskVersion,
			Break:       func(t *testing.T, name string) { kill(t, filepath.Join(root, name)) },
			LoseID: func(t *testing.T, name string) {
				if err := os.Remove(filepath.Join(root, name, "kubeconfig")); err != nil {
					t.Fatal(err)
				}
			},
			LoseMark: func(t *testing.T, name string) { spoil(configFile, "}")(t, filepath.Join(root, name)) },
			Replace: func(t *testing.T, name string) {
				p := New(Options{Dir: root, Engine: engine})
				err := errors.Join(p.Delete(t.Context(), providers.Ref{Name: name}), p.Create(t.Context(), providers.Spec{Name: name}, nil))
				if err != nil {
					t.Fatal(err)
				}
			},
			HalfMade: func(t *testing.T, spec providers.Spec) { halfMade(t, root, spec) },
		}
	})
}
