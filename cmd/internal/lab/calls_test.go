package lab_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// counting counts how often a flavor's tool is asked.
type counting struct {
	providers.Provider
	providers.EngineUser
	providers.StartStopper
	lists, kubeconfigs *atomic.Int64
}

func (c counting) List(ctx context.Context) ([]providers.Cluster, error) {
	c.lists.Add(1)
	return c.Provider.List(ctx)
}

func (c counting) ListOn(ctx context.Context, engine providers.Engine) ([]providers.Cluster, error) {
	c.lists.Add(1)
	return c.EngineUser.ListOn(ctx, engine)
}

func (c counting) Kubeconfig(ctx context.Context, ref providers.Ref) ([]byte, error) {
	c.kubeconfigs.Add(1)
	return c.Provider.Kubeconfig(ctx, ref)
}

// TestToolCalls limits how often a command asks the tool of a cluster: a listing takes several
// processes and a request to the API server.
func TestToolCalls(t *testing.T) {
	t.Parallel()
	var lists, kubeconfigs atomic.Int64
	b := newAddonBench(t, onNodes())
	fake := providertest.NewFake(b.machine, providertest.FakeOptions{Traits: onNodes()})
	set, err := providers.NewSet(counting{fake, fake.(providers.EngineUser), fake.(providers.StartStopper), &lists, &kubeconfigs})
	if err != nil {
		t.Fatal(err)
	}
	b.Set = set
	ctx, hello := t.Context(), lab.AddonRequest{Names: []string{"hello"}}
	for _, tt := range []struct {
		name               string
		do                 func() error
		lists, kubeconfigs int64
	}{
		{"up that creates", func() error { _, err := b.Up(ctx, with("demo", "hello"), nil); return err }, 3, 1},
		{"up without changes", func() error { _, err := b.Up(ctx, with("demo", "hello"), nil); return err }, 1, 1},
		{"status", func() error { _, err := b.Status(ctx, "demo"); return err }, 1, 1},
		{"diff", func() error { _, err := b.Diff(ctx, with("demo", "hello")); return err }, 1, 1},
		{"addon install", func() error { _, err := b.InstallAddons(ctx, "demo", hello, nil); return err }, 1, 1},
		{"addon install --dry-run", func() error { _, err := b.PreviewAddons(ctx, "demo", hello); return err }, 1, 1},
		{"open", func() error { _, err := b.OpenAddon(ctx, "demo", "hello", false); return err }, 1, 1},
		{"addon remove", func() error { return b.RemoveAddon(ctx, "demo", "hello", nil) }, 1, 1},
		{"stop", func() error { _, err := b.Stop(ctx, "demo", nil); return err }, 2, 0},
		{"up that starts", func() error { _, err := b.Up(ctx, with("demo"), nil); return err }, 3, 1},
		{"start of a running cluster", func() error { _, err := b.Start(ctx, "demo", "", nil); return err }, 2, 1},
		{"kubeconfig", func() error { _, err := b.ClusterConfig(ctx, "demo"); return err }, 0, 1},
	} {
		lists.Store(0)
		kubeconfigs.Store(0)
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if l, k := lists.Load(), kubeconfigs.Load(); l > tt.lists || k > tt.kubeconfigs {
			t.Errorf("%s: %d listings and %d kubeconfig reads, want at most %d and %d", tt.name, l, k, tt.lists, tt.kubeconfigs)
		}
	}
}
