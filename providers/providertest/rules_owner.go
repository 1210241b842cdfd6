package providertest

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// owned has the rules that a cluster is identified by its mark, or else by its ID, and that no
// call changes another cluster of its name.
func (s *suite) owned(t *testing.T) {
	if s.LoseID != nil {
		t.Run("once its ID is lost", s.withoutID)
	}
	if s.LoseID != nil && s.LoseMark != nil {
		t.Run("once its ID and its mark are lost", s.withoutBoth)
	}
	if s.Replace != nil {
		t.Run("once another has its name", s.replaced)
	}
}

// remembered creates a cluster, and returns what lab would record.
func (s *suite) remembered(t *testing.T) providers.Ref {
	t.Helper()
	spec := s.newSpec(t)
	if err := s.create(s.ctx(t), spec, s.record()); err != nil {
		t.Fatalf("Create: %v", err)
	}
	ref := s.ref(spec.Name)
	ref.ID, ref.Mark = s.find(t, s.p, spec.Name).ID, spec.Mark
	return ref
}

// withoutID is about a cluster that lost its first part: the rest must not stay forever.
func (s *suite) withoutID(t *testing.T) {
	ref := s.remembered(t)
	s.LoseID(t, ref.Name)
	t.Run("it is known by its mark", func(t *testing.T) {
		if got := s.find(t, s.p, ref.Name); !ref.Is(got) {
			t.Errorf("List says %+v, which is not taken for %+v", got, ref)
		}
	})
	t.Run("it is deleted without leftovers", func(t *testing.T) {
		wantNoError(t, s.p.Delete(s.ctx(t), ref))
		s.wantGone(t, ref.Name)
	})
}

// withoutBoth is about a cluster whose owner is unknown.
func (s *suite) withoutBoth(t *testing.T) {
	ref := s.remembered(t)
	s.LoseID(t, ref.Name)
	s.LoseMark(t, ref.Name)
	t.Run("it is neither deleted nor called foreign", func(t *testing.T) {
		err := s.p.Delete(s.ctx(t), ref)
		if err == nil || errors.Is(err, fault.ErrForeign) || errors.Is(err, fault.ErrNotFound) {
			t.Errorf("error is %v, want one that says that the owner is unknown", err)
		}
		s.find(t, s.p, ref.Name)
	})
}

// replaced is about another cluster that took the name after lab listed the first one.
func (s *suite) replaced(t *testing.T) {
	ref := s.remembered(t)
	s.Replace(t, ref.Name)
	other := &subject{name: ref.Name, id: s.find(t, s.p, ref.Name).ID}
	foreign := func(what string, call func(t *testing.T) error) {
		t.Run(what, func(t *testing.T) {
			wantError(t, call(t), fault.ErrForeign)
			wantSameID(t, s.find(t, s.p, ref.Name), other)
		})
	}
	foreign("the other one is not deleted", func(t *testing.T) error { return s.p.Delete(s.ctx(t), ref) })
	foreign("the other one's kubeconfig is not returned", func(t *testing.T) error {
		_, err := s.p.Kubeconfig(s.ctx(t), ref)
		return err
	})
	if p, ok := s.p.(providers.StartStopper); ok {
		foreign("the other one is not stopped", func(t *testing.T) error { return p.Stop(s.ctx(t), ref) })
		foreign("the other one is not started", func(t *testing.T) error { return p.Start(s.ctx(t), ref, nil) })
	}
	if p, ok := s.p.(providers.LogExporter); ok {
		foreign("the other one's logs are not exported", func(t *testing.T) error { return p.ExportLogs(s.ctx(t), ref, t.TempDir()) })
	}
	if p, ok := s.p.(providers.ImageLoader); ok && s.Archive != "" {
		foreign("the other one gets no images", func(t *testing.T) error { return p.LoadImages(s.ctx(t), ref, s.Archive) })
	}
}
