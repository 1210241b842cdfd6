package providertest

import (
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// mutant is the fake with some functions replaced by a bug.
type mutant struct {
	fake *fake // as it was
	bare bool  // has no optional ability

	name       func() string
	describe   func() providers.Description
	traits     func(providers.Spec) providers.Traits
	check      func(context.Context, providers.Spec) error
	create     func(context.Context, providers.Spec, event.Reporter) error
	delete     func(context.Context, providers.Ref) error
	list       func(context.Context) ([]providers.Cluster, error)
	kubeconfig func(context.Context, providers.Ref) ([]byte, error)
	entries    func(string) providers.Entries
	start      func(context.Context, providers.Ref, event.Reporter) error
	stop       func(context.Context, providers.Ref) error
	loadImages func(context.Context, providers.Ref, string) error
	saveImages func(context.Context, []string, string) error
	exportLogs func(context.Context, providers.Ref, string) error
	save       func(context.Context, providers.Ref, string, event.Reporter) (providers.Snapshot, error)
}

// newMutant returns the fake for m with the bug in it, or the fake itself.
func newMutant(m Machine, seed func(*mutant)) providers.Provider {
	f := NewFake(m, FakeOptions{Refuse: refuseDriver}).(*fake)
	if seed == nil {
		return f
	}
	mu := &mutant{
		fake: f, name: f.Name, describe: f.Describe, traits: f.Traits, check: f.Check,
		create: f.Create, delete: f.Delete, list: f.List, kubeconfig: f.Kubeconfig, entries: f.Entries,
		start: f.Start, stop: f.Stop, loadImages: f.LoadImages, saveImages: f.SaveImages, exportLogs: f.ExportLogs,
		save: f.SaveSnapshot,
	}
	seed(mu)
	if mu.bare {
		return struct{ providers.Provider }{mu}
	}
	return mu
}

func refuseDriver(spec providers.Spec) error {
	if spec.Driver == "" {
		return nil
	}
	return fault.Errorf(fault.ErrUnsupported, "this flavor has no drivers")
}

func (m *mutant) Name() string                                      { return m.name() }
func (m *mutant) Describe() providers.Description                   { return m.describe() }
func (m *mutant) Traits(s providers.Spec) providers.Traits          { return m.traits(s) }
func (m *mutant) Check(ctx context.Context, s providers.Spec) error { return m.check(ctx, s) }

func (m *mutant) Create(ctx context.Context, s providers.Spec, r event.Reporter) error {
	return m.create(ctx, s, r)
}

func (m *mutant) Delete(ctx context.Context, ref providers.Ref) error { return m.delete(ctx, ref) }

func (m *mutant) List(ctx context.Context) ([]providers.Cluster, error) { return m.list(ctx) }

func (m *mutant) Kubeconfig(ctx context.Context, ref providers.Ref) ([]byte, error) {
	return m.kubeconfig(ctx, ref)
}

func (m *mutant) Entries(name string) providers.Entries { return m.entries(name) }

func (m *mutant) Start(ctx context.Context, ref providers.Ref, r event.Reporter) error {
	return m.start(ctx, ref, r)
}

func (m *mutant) Stop(ctx context.Context, ref providers.Ref) error { return m.stop(ctx, ref) }

func (m *mutant) SaveImages(ctx context.Context, images []string, archive string) error {
	return m.saveImages(ctx, images, archive)
}

func (m *mutant) LoadImages(ctx context.Context, ref providers.Ref, archive string) error {
	return m.loadImages(ctx, ref, archive)
}

func (m *mutant) ExportLogs(ctx context.Context, ref providers.Ref, dir string) error {
	return m.exportLogs(ctx, ref, dir)
}

func (m *mutant) SaveSnapshot(ctx context.Context, ref providers.Ref, dir string, r event.Reporter) (providers.Snapshot, error) {
	return m.save(ctx, ref, dir, r)
}
