package providertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Run checks that a provider keeps the contract of package providers. It calls newHarness once,
// when HOME and KUBECONFIG already refer to a directory of the test; what needs the real ones,
// such as a compiler's cache, must be done before. It cannot run in parallel with other tests,
// because it captures the output of the whole process.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	home := isolateHome(t)
	printed := capturePrints(t)
	h := newHarness(t).withDefaults(t)
	s := &suite{Harness: h, p: h.New()}

	t.Run("without a cluster", s.atRest)
	t.Run("an unknown cluster", s.unknown)
	t.Run("a refused spec", s.refused)
	t.Run("a cluster", s.life)
	t.Run("clusters side by side", s.sideBySide)
	t.Run("a cancelled create", s.cancelled)
	t.Run("a failed create", s.failed)
	t.Run("an incomplete cluster", s.halfMade)
	t.Run("a foreign cluster", s.foreign)
	t.Run("a recorded cluster", s.owned)
	t.Run("a snapshot", s.saved)
	t.Run("the provider never", func(t *testing.T) {
		t.Run("prints", printed)
		t.Run("touches the user's kubeconfig", home)
		t.Run("reports an event once the call has returned", s.reportedLate)
	})
}

// suite is one run of the contract.
type suite struct {
	Harness
	p     providers.Provider
	first *subject // the first cluster, once it is deleted again

	mu        sync.Mutex
	recorders []*recorder
}

// subject is a cluster under test.
type subject struct {
	name       string
	id         string
	mark       string
	steps      int // that creating it took
	kubeconfig []byte
}

// newSpec returns the harness's spec with a new name and mark, and has the cluster deleted when
// the test ends.
func (s *suite) newSpec(t *testing.T) providers.Spec {
	spec := s.Spec
	spec.Name = s.Prefix + "-" + strings.ToLower(rand.Text()[:8])
	spec.Mark = newMark()
	spec.LogsDir = t.TempDir()
	s.deleteAfter(t, spec.Name)
	return spec
}

// newMark returns a UUID.
func newMark() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// deleteAfter deletes the cluster when the test ends, if it still exists.
func (s *suite) deleteAfter(t *testing.T, name string) {
	t.Cleanup(func() {
		// The test's own context has ended.
		ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
		defer cancel()
		if err := s.p.Delete(ctx, s.ref(name)); err != nil && !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("cleaning up: Delete(%q): %v", name, err)
		}
	})
}

// ctx returns the context for one call.
func (s *suite) ctx(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), s.Timeout)
	t.Cleanup(cancel)
	return ctx
}

// record returns a recorder, which the suite checks until its end.
func (s *suite) record() *recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &recorder{}
	s.recorders = append(s.recorders, r)
	return r
}

// reportedLate is the last rule, so that late events had time to arrive.
func (s *suite) reportedLate(t *testing.T) {
	for _, r := range s.recorders {
		r.checkLate(t)
	}
}

// ref identifies the cluster by its name alone.
func (s *suite) ref(name string) providers.Ref {
	return providers.Ref{Provider: s.p.Name(), Name: name}
}

// create calls Create, whose events r receives.
func (s *suite) create(ctx context.Context, spec providers.Spec, r *recorder) error {
	defer r.close()
	return s.p.Create(ctx, spec, r.report)
}
