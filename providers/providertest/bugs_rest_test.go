package providertest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func bugsAtRest() map[string]bug {
	return map[string]bug{
		"changes its name": {func(m *mutant) {
			var calls atomic.Int64
			m.name = func() string { return strings.Repeat("x", int(calls.Add(1))) }
		}, "without a cluster/has a lower-case name that never changes"},
		"shouts its name": {func(m *mutant) {
			m.name = func() string { return "FAKE" }
		}, "without a cluster/has a lower-case name that never changes"},
		"does not say what it is": {func(m *mutant) {
			m.describe = func() providers.Description { return providers.Description{} }
		}, "without a cluster/has a summary"},
		"returns random traits": {func(m *mutant) {
			t := providers.Traits{ControlPlaneMetrics: []string{rand.Text()}}
			m.traits = func(providers.Spec) providers.Traits { return t }
		}, "without a cluster/derives traits from the spec alone"},
		"lost its abilities": {func(m *mutant) { m.bare = true },
			"without a cluster/has exactly the promised abilities"},
		"is never usable": {func(m *mutant) {
			m.check = func(context.Context, providers.Spec) error { return fault.ErrUnavailable }
		}, "without a cluster/is usable"},
		"says that all is well without its tool": {func(m *mutant) {
			m.check = func(context.Context, providers.Spec) error { return nil }
		}, "without a cluster/has a hint for a missing tool"},
		"gives no hint": {func(m *mutant) {
			m.check = func(ctx context.Context, spec providers.Spec) error {
				if err := m.fake.Check(ctx, spec); err != nil {
					return fault.ErrUnavailable
				}
				return nil
			}
		}, "without a cluster/has a hint for a missing tool"},
		"cannot list nothing": {func(m *mutant) {
			m.list = func(ctx context.Context) ([]providers.Cluster, error) {
				all, err := m.fake.List(ctx)
				if len(all) == 0 {
					err = errors.New("no clusters found")
				}
				return all, err
			}
		}, "without a cluster/lists no cluster that does not exist"},
	}
}

// ignoreNotFound is the bug of returning nil if the cluster does not exist.
func ignoreNotFound(err error) error {
	if errors.Is(err, fault.ErrNotFound) {
		return nil
	}
	return err
}

func bugsOfUnknown() map[string]bug {
	return map[string]bug{
		"deletes the unknown": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error { return ignoreNotFound(m.fake.Delete(ctx, ref)) }
		}, "an unknown cluster/cannot be deleted"},
		"cannot tell that it is deleted": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				if err := m.fake.Delete(ctx, ref); err != nil {
					return errors.New("no such container")
				}
				return nil
			}
		}, "a cluster/once deleted/cannot be deleted again"},
		"has a kubeconfig of the unknown": {func(m *mutant) {
			m.kubeconfig = func(ctx context.Context, ref providers.Ref) ([]byte, error) {
				k, err := m.fake.Kubeconfig(ctx, ref)
				return k, ignoreNotFound(err)
			}
		}, "an unknown cluster/has no kubeconfig"},
		"starts the unknown": {func(m *mutant) {
			m.start = func(ctx context.Context, ref providers.Ref, r event.Reporter) error {
				return ignoreNotFound(m.fake.Start(ctx, ref, r))
			}
		}, "an unknown cluster/cannot be started"},
		"stops the unknown": {func(m *mutant) {
			m.stop = func(ctx context.Context, ref providers.Ref) error { return ignoreNotFound(m.fake.Stop(ctx, ref)) }
		}, "an unknown cluster/cannot be stopped"},
		"loads images into the unknown": {func(m *mutant) {
			m.loadImages = func(ctx context.Context, ref providers.Ref, archive string) error {
				return ignoreNotFound(m.fake.LoadImages(ctx, ref, archive))
			}
		}, "an unknown cluster/takes no images"},
		"exports logs of the unknown": {func(m *mutant) {
			m.exportLogs = func(ctx context.Context, ref providers.Ref, dir string) error {
				return ignoreNotFound(m.fake.ExportLogs(ctx, ref, dir))
			}
		}, "an unknown cluster/has no logs"},
		"creates a cluster that it should start": {func(m *mutant) {
			m.start = func(ctx context.Context, ref providers.Ref, r event.Reporter) error {
				err := m.fake.Start(ctx, ref, r)
				if errors.Is(err, fault.ErrNotFound) {
					err = errors.Join(err, m.fake.machine.HalfMade(providers.Spec{Name: ref.Name}))
				}
				return err
			}
		}, "an unknown cluster/is not created by these calls"},
	}
}
