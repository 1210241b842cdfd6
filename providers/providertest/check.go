package providertest

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// listed returns the entries of List that bear the name.
func (s *suite) listed(t *testing.T, p providers.Provider, name string) []providers.Cluster {
	t.Helper()
	all, err := p.List(s.ctx(t))
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	var found []providers.Cluster
	for _, c := range all {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

// find returns the one cluster of that name.
func (s *suite) find(t *testing.T, p providers.Provider, name string) providers.Cluster {
	t.Helper()
	found := s.listed(t, p, name)
	if len(found) != 1 {
		t.Fatalf("List has %d clusters called %q, want one: %+v", len(found), name, found)
	}
	return found[0]
}

// wantRunning checks that the cluster runs and is still the same.
func (s *suite) wantRunning(t *testing.T, c *subject) {
	t.Helper()
	got := s.find(t, s.p, c.name)
	if got.State != providers.StateRunning {
		t.Errorf("state is %q (%s), want %q", got.State, got.Reason, providers.StateRunning)
	}
	wantSameID(t, got, c)
}

// wantSameID checks that the cluster is the one that was created, and was not recreated.
func wantSameID(t *testing.T, got providers.Cluster, c *subject) {
	t.Helper()
	if got.ID != c.id {
		t.Errorf("ID is %q, want the one it was created with: %q", got.ID, c.id)
	}
}

// wantGone checks that nothing of the cluster is left.
func (s *suite) wantGone(t *testing.T, name string) {
	t.Helper()
	if found := s.listed(t, s.p, name); len(found) > 0 {
		t.Errorf("List still has it: %+v", found)
	}
	for _, leak := range s.Leaks(t, name) {
		t.Errorf("left behind: %s", leak)
	}
}

// wantAnswer checks that the API server answers, if the harness has a Probe.
func (s *suite) wantAnswer(t *testing.T, kubeconfig []byte) {
	t.Helper()
	if s.Probe == nil {
		return
	}
	if err := s.Probe(s.ctx(t), kubeconfig); err != nil {
		t.Errorf("the API server does not answer: %v", err)
	}
}

// wantError checks that err is of a kind: one of the Err… values, or a context's.
func wantError(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("error is %v, want one that is %q", err, kind)
	}
}

func wantNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("error is %v, want none", err)
	}
}
