package clusters_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// counting counts the calls of the tool of a flavor.
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
	b := labtest.WithAddons(t, labtest.OnNodes())
	fake := providertest.NewFake(b.Machine, providertest.FakeOptions{Traits: labtest.OnNodes()})
	set, err := providers.NewSet(counting{fake, fake.(providers.EngineUser), fake.(providers.StartStopper), &lists, &kubeconfigs})
	if err != nil {
		t.Fatal(err)
	}
	b.Set = set
	ctx, hello := t.Context(), clusteraddons.Request{Names: []string{"hello"}}
	for _, tt := range []struct {
		name               string
		do                 func() error
		lists, kubeconfigs int64
	}{
		{"up that creates", func() error { _, err := b.Up(ctx, labtest.Request("demo", "hello"), nil); return err }, 3, 1},
		{"up without changes", func() error { _, err := b.Up(ctx, labtest.Request("demo", "hello"), nil); return err }, 1, 1},
		{"status", func() error { _, err := b.Status(ctx, "demo"); return err }, 1, 1},
		{"diff", func() error { _, err := b.Diff(ctx, labtest.Request("demo", "hello")); return err }, 1, 1},
		{"addon install", func() error { _, err := b.Addons.Install(ctx, "demo", hello, nil); return err }, 1, 1},
		{"addon install --dry-run", func() error { _, err := b.Addons.Preview(ctx, "demo", hello); return err }, 1, 1},
		{"open", func() error { _, err := b.Addons.Open(ctx, "demo", "hello", false); return err }, 1, 1},
		{"addon remove", func() error { return b.Addons.Remove(ctx, "demo", "hello", nil) }, 1, 1},
		{"stop", func() error { _, err := b.Stop(ctx, "demo", nil); return err }, 2, 0},
		{"up that starts", func() error { _, err := b.Up(ctx, labtest.Request("demo"), nil); return err }, 3, 1},
		{"start of a running cluster", func() error { _, err := b.Start(ctx, "demo", "", nil); return err }, 2, 1},
		{"kubeconfig", func() error { _, err := b.Config(ctx, "demo"); return err }, 0, 1},
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
