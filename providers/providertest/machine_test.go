package providertest

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestProbeFollowsTheCluster(t *testing.T) {
	m := Machine(t.TempDir())
	p := NewFake(m, FakeOptions{}).(*fake)
	must(t, p.Create(t.Context(), providers.Spec{Name: "lab"}, nil))
	kubeconfig, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "lab"})
	must(t, err)
	steps := []struct {
		after   string
		do      func() error
		answers bool
	}{
		{"create", func() error { return nil }, true},
		{"stop", func() error { return p.Stop(t.Context(), providers.Ref{Name: "lab"}) }, false},
		{"start", func() error { return p.Start(t.Context(), providers.Ref{Name: "lab"}, nil) }, true},
		{"break", func() error { return m.Break("lab") }, false},
		{"repair", func() error { return p.Start(t.Context(), providers.Ref{Name: "lab"}, nil) }, true},
		{"never ready", func() error { return m.SetFaults(Faults{NotReady: true}) }, false},
		{"fixed", func() error { return m.SetFaults(Faults{}) }, true},
		{"remake", func() error { return m.Remake("lab") }, false},
	}
	for _, s := range steps {
		must(t, s.do())
		if err := m.Probe(t.Context(), kubeconfig); (err == nil) != s.answers {
			t.Errorf("after %s: Probe: %v, want an answer: %t", s.after, err, s.answers)
		}
	}
}

// TestBrokenMayBeWrittenByHand is about the file, as scripts write it.
func TestBrokenMayBeWrittenByHand(t *testing.T) {
	m := Machine(t.TempDir())
	p := NewFake(m, FakeOptions{})
	must(t, p.Create(t.Context(), providers.Spec{Name: "lab"}, nil))
	must(t, os.WriteFile(m.path("lab", "broken"), []byte("out of memory\n"), 0o600))
	clusters, err := p.List(t.Context())
	must(t, err)
	if c := clusters[0]; c.State != providers.StateDegraded || c.Reason != "out of memory" {
		t.Errorf("state is %q (%q)", c.State, c.Reason)
	}
}

// TestHardlyBegun is about a creation that was killed before it wrote a record.
func TestHardlyBegun(t *testing.T) {
	m := Machine(t.TempDir())
	must(t, os.MkdirAll(m.path("lab"), 0o700))
	clusters, err := NewFake(m, FakeOptions{}).List(t.Context())
	must(t, err)
	if c := clusters[0]; c.State != providers.StateCreating || c.Mark != "" || !c.Bare {
		t.Errorf("it is %+v", c)
	}
	must(t, m.HalfMade(providers.Spec{Name: "lab2", Mark: "a-mark"}))
	clusters, err = NewFake(m, FakeOptions{}).List(t.Context())
	must(t, err)
	if c := clusters[1]; c.Mark != "a-mark" || c.Bare {
		t.Errorf("one that bears a mark is %+v", c)
	}
}

func TestRemakeChangesTheID(t *testing.T) {
	m := Machine(t.TempDir())
	p := NewFake(m, FakeOptions{})
	must(t, p.Create(t.Context(), providers.Spec{Name: "lab"}, nil))
	before, err := p.List(t.Context())
	must(t, err)
	must(t, m.Remake("lab"))
	after, err := p.List(t.Context())
	must(t, err)
	if before[0].ID == after[0].ID {
		t.Errorf("ID is still %q", after[0].ID)
	}
}

func TestOneOfTwoProcessesGetsTheName(t *testing.T) {
	m := Machine(t.TempDir())
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = NewFake(m, FakeOptions{}).Create(t.Context(), providers.Spec{Name: "lab"}, nil)
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, fault.ErrExists) {
			t.Errorf("error is %v, want %v", err, fault.ErrExists)
		}
	}
	if made != 1 {
		t.Errorf("%d creates succeeded, want one", made)
	}
}
