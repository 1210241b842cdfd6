package providertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// bugVariable names the bug, one of allBugs, that TestFakeKeepsTheContract seeds into
// the fake. It is set only for the processes that TestSuiteNoticesEveryBug starts.
const bugVariable = "PROVIDERTEST_BUG"

func TestFakeKeepsTheContract(t *testing.T) {
	Run(t, func(t *testing.T) Harness {
		return fakeHarness(t, allBugs()[os.Getenv(bugVariable)].seed)
	})
}

func TestFakeWithoutAbilitiesKeepsTheContract(t *testing.T) {
	Run(t, func(t *testing.T) Harness {
		h := fakeHarness(t, nil)
		h.Slow = true
		h.Cannot = []Ability{StartStop, LoadImages, ExportLogs, Snapshots}
		full := h.New
		h.New = func() providers.Provider { return struct{ providers.Provider }{full()} }
		return h
	})
}

// fakeHarness has every hook, so that every rule is checked. If seed is not nil, each provider
// is a mutant.
func fakeHarness(t *testing.T, seed func(*mutant)) Harness {
	m := Machine(t.TempDir())
	setFaults := func(t *testing.T, f Faults) {
		must(t, m.SetFaults(f))
		t.Cleanup(func() { must(t, m.SetFaults(Faults{})) })
	}
	archive := filepath.Join(t.TempDir(), "images.tar")
	must(t, os.WriteFile(archive, []byte("two images"), 0o600))
	must(t, m.AddImage("shop:v1"))
	down := Machine(t.TempDir())
	must(t, down.SetFaults(Faults{Unavailable: "the engine is not running", Hint: "start the engine"}))

	fake := func(m Machine) providers.Provider { return newMutant(m, seed) }
	return Harness{
		New:         func() providers.Provider { return fake(m) },
		Unavailable: fake(down),
		Leaks:       func(_ *testing.T, name string) []string { return m.Leaks(name) },
		Spec:        providers.Spec{Workers: 1},
		Archive:     archive,
		Image:       "shop:v1",
		Context:     func(name string) string { return "fake-" + name },
		Probe:       m.Probe,
		Break:       func(t *testing.T, name string) { must(t, m.Break(name)) },
		HalfMade:    func(t *testing.T, spec providers.Spec) { must(t, m.HalfMade(spec)) },
		Foreign: func(t *testing.T, name string) {
			other := NewFake(m, FakeOptions{})
			must(t, other.Create(context.Background(), providers.Spec{Name: name}, nil))
		},
		LoseID:   func(t *testing.T, name string) { must(t, m.LoseID(name)) },
		LoseMark: func(t *testing.T, name string) { must(t, m.LoseMark(name)) },
		Replace:  func(t *testing.T, name string) { must(t, m.Remake(name)) },
		Invalid: map[string]func(*providers.Spec){
			"less than no workers": func(s *providers.Spec) { s.Workers = -1 },
		},
		Unsupported: map[string]func(*providers.Spec){
			"a driver": func(s *providers.Spec) { s.Driver = "vm" },
		},
		Failures: map[string]func(*testing.T, *providers.Spec){
			"a step that fails": func(t *testing.T, _ *providers.Spec) {
				setFaults(t, Faults{Fail: map[string]string{"create": "no space left"}, FailStep: 2})
			},
		},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
