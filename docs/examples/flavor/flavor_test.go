package flavor

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

var update = flag.Bool("update", false, "write the golden file")

func TestContract(t *testing.T) {
	dir := t.TempDir()
	machine := providertest.Machine(dir)
	broken := providertest.Machine(t.TempDir())
	must(t, broken.SetFaults(providertest.Faults{Unavailable: "paper is out of stock", Hint: "paper refill"}))
	providertest.Run(t, func(*testing.T) providertest.Harness {
		return providertest.Harness{
			New:         func() providers.Provider { return New(Options{Dir: dir}) },
			Unavailable: New(Options{Dir: string(broken)}),
			Leaks:       func(_ *testing.T, name string) []string { return machine.Leaks(name) },
			Cannot:      []providertest.Ability{providertest.StartStop, providertest.LoadImages, providertest.ExportLogs, providertest.Snapshots},
			Context:     func(name string) string { return "paper-" + name },
			Probe:       machine.Probe,
			Break:       func(t *testing.T, name string) { must(t, machine.Break(name)) },
			HalfMade:    func(t *testing.T, spec providers.Spec) { must(t, machine.HalfMade(spec)) },
			LoseID:      func(t *testing.T, name string) { must(t, machine.LoseID(name)) },
			LoseMark:    func(t *testing.T, name string) { must(t, machine.LoseMark(name)) },
			Replace:     func(t *testing.T, name string) { must(t, machine.Remake(name)) },
			Foreign: func(t *testing.T, name string) {
				must(t, New(Options{Dir: dir}).Create(t.Context(), providers.Spec{Name: name}, nil))
			},
			Invalid:     map[string]func(*providers.Spec){"-1 workers": func(s *providers.Spec) { s.Workers = -1 }},
			Unsupported: map[string]func(*providers.Spec){"three control planes": func(s *providers.Spec) { s.ControlPlanes = 3 }},
			Failures: map[string]func(*testing.T, *providers.Spec){
				"a step that fails": func(t *testing.T, _ *providers.Spec) {
					must(t, machine.SetFaults(providertest.Faults{Fail: map[string]string{"create": "no space left"}, FailStep: 2}))
					t.Cleanup(func() { must(t, machine.SetFaults(providertest.Faults{})) })
				},
			},
		}
	})
}

func TestConfig(t *testing.T) {
	path := filepath.Join("testdata", "config.golden.json")
	spec := providers.Spec{Name: "demo", Workers: 2, Mark: "a-mark", Mounts: []providers.Mount{{Host: "/src", Node: "/src", ReadOnly: true}}}
	got, err := configFor(spec, Options{NodeImage: "registry.corp/paper:v1", ExtraArgs: []string{"--color=white"}})
	must(t, err)
	if *update {
		must(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestUnsupportedSettingsAreRefused(t *testing.T) {
	for what, spec := range map[string]providers.Spec{
		"control planes": {Name: "demo", ControlPlanes: 2},
		"ports":          {Name: "demo", Ports: []providers.Port{{Host: 8080, Container: 80}}},
	} {
		err := New(Options{Dir: t.TempDir()}).Validate(spec)
		if !errors.Is(err, fault.ErrUnsupported) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (hint %q), want ErrUnsupported with a hint", what, err, fault.HintOf(err))
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
