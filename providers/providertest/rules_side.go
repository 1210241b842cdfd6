package providertest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// sideBySide has the rules for several clusters, one of which has the name of an earlier one.
func (s *suite) sideBySide(t *testing.T) {
	clusters := s.makeAll(t)
	t.Run("have different IDs", func(t *testing.T) { s.distinctIDs(t, clusters) })
	t.Run("differ from earlier ones of the same name", func(t *testing.T) {
		if s.first == nil {
			t.Fatal("no earlier cluster exists: run the rules of \"a cluster\" too")
		}
		if clusters[0].id == s.first.id {
			t.Errorf("ID is %q again", s.first.id)
		}
	})
	t.Run("can be deleted one by one", func(t *testing.T) {
		s.stop(t, clusters[0].name)
		wantNoError(t, s.p.Delete(s.ctx(t), s.ref(clusters[0].name)))
		s.wantGone(t, clusters[0].name)
		for _, c := range clusters[1:] {
			s.wantRunning(t, c)
		}
	})
	t.Run("can be deleted though it was interrupted", func(t *testing.T) {
		s.interruptDelete(t, clusters[1].name)
	})
	if s.Slow {
		return // none is left
	}
	t.Run("can be deleted at the same time", func(t *testing.T) {
		errs := each(clusters[2:], func(c *subject) error { return s.p.Delete(s.ctx(t), s.ref(c.name)) })
		wantNoError(t, errors.Join(errs...))
		for _, c := range clusters {
			s.wantGone(t, c.name)
		}
	})
}

// makeAll creates the clusters concurrently, the first without a Reporter.
func (s *suite) makeAll(t *testing.T) []*subject {
	n := 6
	if s.Slow {
		n = 2
	}
	var clusters []*subject
	for range n {
		clusters = append(clusters, &subject{name: s.newSpec(t).Name})
	}
	if s.first != nil {
		clusters[0].name = s.first.name
		s.deleteAfter(t, s.first.name)
	}
	errs := each(clusters, func(c *subject) error {
		spec := s.Spec
		spec.Name = c.name
		if c == clusters[0] {
			return s.p.Create(s.ctx(t), spec, nil)
		}
		return s.create(s.ctx(t), spec, s.record())
	})
	t.Run("need no Reporter", func(t *testing.T) { wantNoError(t, errs[0]) })
	t.Run("are created at the same time", func(t *testing.T) { wantNoError(t, errors.Join(errs[1:]...)) })
	if errors.Join(errs...) != nil {
		t.FailNow()
	}
	for _, c := range clusters {
		c.id = s.find(t, s.p, c.name).ID
	}
	return clusters
}

// distinctIDs checks that no two clusters that exist side by side share an ID.
func (s *suite) distinctIDs(t *testing.T, clusters []*subject) {
	seen := map[string]string{}
	for _, c := range clusters {
		if other := seen[c.id]; other != "" || c.id == "" {
			t.Errorf("%s has ID %q, and so has %q", c.name, c.id, other)
		}
		seen[c.id] = c.name
	}
}

// interruptDelete cancels a Delete, of a broken cluster if the harness can break one, and calls
// it again.
func (s *suite) interruptDelete(t *testing.T, name string) {
	if s.Break != nil {
		s.Break(t, name)
	}
	ctx, cancel := context.WithCancel(s.ctx(t))
	cancel()
	if err := s.p.Delete(ctx, s.ref(name)); err == nil {
		s.wantGone(t, name) // it may succeed, but then nothing may be left
	} else {
		wantError(t, err, context.Canceled)
	}
	if err := s.p.Delete(s.ctx(t), s.ref(name)); !errors.Is(err, fault.ErrNotFound) {
		wantNoError(t, err)
	}
	s.wantGone(t, name)
}

// stop stops the cluster if the provider can.
func (s *suite) stop(t *testing.T, name string) {
	if p, ok := s.p.(providers.StartStopper); ok {
		wantNoError(t, p.Stop(s.ctx(t), s.ref(name)))
	}
}

// each calls f for all clusters concurrently, and returns the errors in their order.
func each(clusters []*subject, f func(*subject) error) []error {
	errs := make([]error, len(clusters))
	var wg sync.WaitGroup
	for i, c := range clusters {
		wg.Go(func() { errs[i] = f(c) })
	}
	wg.Wait()
	return errs
}
