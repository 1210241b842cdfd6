package providertest

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
)

// saved has the rules for snapshots, and for clusters that are created from one.
func (s *suite) saved(t *testing.T) {
	p, ok := s.p.(providers.Snapshotter)
	if !ok {
		t.Skip("the provider has no snapshots")
	}
	source := s.restored(t, nil)
	if source == nil {
		t.Fatal("there is no cluster to save")
	}
	dir := t.TempDir()
	from, err := p.SaveSnapshot(s.ctx(t), s.ref(source.name), dir, nil)
	t.Run("leaves a running cluster as it is", func(t *testing.T) {
		wantNoError(t, err)
		s.wantRunning(t, source)
		s.wantAnswer(t, source.kubeconfig)
	})
	if err != nil {
		return
	}
	from.Dir = dir
	before := snapshot(t, dir)
	all := []*subject{source}
	for range 2 {
		if c := s.restored(t, &from); c != nil { // deleted after all rules, not after one
			all = append(all, c)
		}
	}
	t.Run("is restored several times beside its source", func(t *testing.T) {
		if len(all) != 3 {
			t.Error("a restore failed")
		}
		for _, c := range all {
			s.wantRunning(t, c)
			s.wantAnswer(t, c.kubeconfig)
		}
	})
	t.Run("gives each cluster an identity", func(t *testing.T) { s.distinctIDs(t, all) })
	t.Run("gives each cluster an authority", func(t *testing.T) { distinctAuthorities(t, all) })
	t.Run("is not changed by restores", func(t *testing.T) {
		if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
			t.Errorf("the snapshot changed (-before +after):\n%s", diff)
		}
	})
	t.Run("leaves nothing of a cancelled restore", func(t *testing.T) { s.cancelledRestore(t, from) })
	s.savedStopped(t, p, source)
}

// restored creates a cluster from a snapshot, or an empty one from nil, which is deleted when t ends.
// It returns nil if that fails.
func (s *suite) restored(t *testing.T, from *providers.Snapshot) *subject {
	t.Helper()
	spec := s.newSpec(t)
	spec.From = from
	if err := s.create(s.ctx(t), spec, s.record()); err != nil {
		t.Errorf("Create: %v", err)
		return nil
	}
	kubeconfig, err := s.p.Kubeconfig(s.ctx(t), s.ref(spec.Name))
	wantNoError(t, err)
	return &subject{name: spec.Name, id: s.find(t, s.p, spec.Name).ID, kubeconfig: kubeconfig}
}

// distinctAuthorities checks that no two clusters trust the same certificates.
func distinctAuthorities(t *testing.T, clusters []*subject) {
	for i, c := range clusters {
		own, err := parseKubeconfig(c.kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range clusters[:i] {
			k, err := parseKubeconfig(other.kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(own.authority(), k.authority()) {
				t.Errorf("%s and %s have one certificate authority", c.name, other.name)
			}
		}
	}
}

// cancelledRestore cancels a restore in its first step.
func (s *suite) cancelledRestore(t *testing.T, from providers.Snapshot) {
	ctx, cancel := context.WithCancel(s.ctx(t))
	defer cancel()
	r := s.record()
	r.onStart = func(int) { cancel() }
	spec := s.newSpec(t)
	spec.From = &from
	wantError(t, s.create(ctx, spec, r), context.Canceled)
	s.wantGone(t, spec.Name)
}

// savedStopped has the rules for the snapshot of a stopped cluster.
func (s *suite) savedStopped(t *testing.T, p providers.Snapshotter, c *subject) {
	if _, ok := s.p.(providers.StartStopper); !ok {
		return
	}
	t.Run("leaves a stopped cluster as it is", func(t *testing.T) {
		s.stop(t, c.name)
		dir := t.TempDir()
		from, err := p.SaveSnapshot(s.ctx(t), s.ref(c.name), dir, nil)
		wantNoError(t, err)
		if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
			t.Errorf("the snapshot is empty (%v)", err)
		}
		got := s.find(t, s.p, c.name)
		if got.State != providers.StateStopped {
			t.Errorf("state is %q, want %q", got.State, providers.StateStopped)
		}
		wantSameID(t, got, c)
		from.Dir = dir
		if c := s.restored(t, &from); c != nil {
			s.wantRunning(t, c)
		}
	})
}
