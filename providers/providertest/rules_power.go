package providertest

import (
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// stopped has the rules for a stopped cluster, which must keep its name, context and logs.
func (s *suite) stopped(t *testing.T, p providers.StartStopper, c *subject) {
	t.Run("stops", func(t *testing.T) { wantNoError(t, p.Stop(s.ctx(t), s.ref(c.name))) })
	t.Run("is listed as stopped, and the same", func(t *testing.T) {
		got := s.find(t, s.p, c.name)
		if got.State != providers.StateStopped {
			t.Errorf("state is %q, want %q", got.State, providers.StateStopped)
		}
		wantSameID(t, got, c)
	})
	if s.Probe != nil {
		t.Run("stops the API server", func(t *testing.T) {
			if s.Probe(s.ctx(t), c.kubeconfig) == nil {
				t.Error("its API server still answers")
			}
		})
	}
	t.Run("can be stopped again", func(t *testing.T) { wantNoError(t, p.Stop(s.ctx(t), s.ref(c.name))) })
	t.Run("keeps its kubeconfig", func(t *testing.T) { s.sameKubeconfig(t, c) })
	if _, ok := s.p.(providers.LogExporter); ok {
		t.Run("keeps its logs", func(t *testing.T) { s.wantLogs(t, c.name) })
	}
	t.Run("keeps its name", func(t *testing.T) {
		spec := s.Spec
		spec.Name = c.name
		wantError(t, s.create(s.ctx(t), spec, s.record()), fault.ErrExists)
	})
}

// started has the rules for a start after a stop.
func (s *suite) started(t *testing.T, p providers.StartStopper, c *subject) {
	r := s.record()
	err := p.Start(s.ctx(t), s.ref(c.name), r.report)
	r.close()
	t.Run("starts", func(t *testing.T) { wantNoError(t, err) })
	t.Run("had every step end once", func(t *testing.T) { r.checkSteps(t) })
	t.Run("runs, and is the same", func(t *testing.T) { s.wantRunning(t, c) })
	if s.Probe != nil {
		t.Run("answers", func(t *testing.T) { s.answersNow(t, c) })
	}
	t.Run("can be started again, without a Reporter", func(t *testing.T) {
		wantNoError(t, p.Start(s.ctx(t), s.ref(c.name), nil))
		s.wantRunning(t, c)
	})
}

// answersNow checks that the API server answers at the address in the current kubeconfig: a
// start may change its port.
func (s *suite) answersNow(t *testing.T, c *subject) {
	kubeconfig, err := s.p.Kubeconfig(s.ctx(t), s.ref(c.name))
	wantNoError(t, err)
	s.wantAnswer(t, kubeconfig)
}

// broken has the rules for a cluster that died by itself, as when a laptop restarts.
func (s *suite) broken(t *testing.T, c *subject) {
	s.Break(t, c.name)
	t.Run("is listed as degraded, and the same", func(t *testing.T) {
		got := s.find(t, s.p, c.name)
		if got.State != providers.StateDegraded || got.Reason == "" {
			t.Errorf("state is %q (%q), want %q and a reason", got.State, got.Reason, providers.StateDegraded)
		}
		wantSameID(t, got, c)
	})
	p, ok := s.p.(providers.StartStopper)
	if !ok {
		return
	}
	t.Run("is repaired by a start", func(t *testing.T) {
		wantNoError(t, p.Start(s.ctx(t), s.ref(c.name), nil))
		s.wantRunning(t, c)
		s.answersNow(t, c)
	})
}
