package clusters_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

// distant is a flavor whose node image is only in a registry.
type distant struct {
	providers.Provider
	t *testing.T
}

func (d distant) Check(_ context.Context, spec providers.Spec) error {
	if !spec.Offline {
		d.t.Error("a dry run asks a registry")
	}
	return &providers.NotLocal{Image: "node:v1"}
}

// TestDryRunStaysOffline: a dry run names the image that up would pull.
func TestDryRunStaysOffline(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return distant{p, t} })
	q := labtest.Request("lab")
	q.Flavor = "fake"
	plan, err := b.DryRun(t.Context(), q)
	if err != nil || plan.Action != "create" || plan.Flavor != "fake" || plan.Pulls != "node:v1" {
		t.Errorf("%+v, %v", plan, err)
	}
}

// unreachable is a flavor whose node image is only in a registry that does not answer.
type unreachable struct{ providers.Provider }

func (unreachable) Name() string { return "unreachable" }

func (unreachable) Check(_ context.Context, spec providers.Spec) error {
	if spec.Offline {
		return &providers.NotLocal{Image: "node:v1"}
	}
	return fault.Errorf(fault.ErrUnavailable, "the registry does not answer")
}

// TestDryRunChoosesAsUp: a dry run chooses the flavor that up chooses.
func TestDryRunChoosesAsUp(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	fake, err := b.Set.Get("fake")
	if err != nil {
		t.Fatal(err)
	}
	if b.Set, err = providers.NewSet(unreachable{fake}, fake); err != nil {
		t.Fatal(err)
	}
	q := labtest.Request("lab")
	q.Flavor = ""
	plan, err := b.DryRun(t.Context(), q)
	if err != nil || plan.Flavor != "fake" {
		t.Errorf("a dry run chooses %q, %v", plan.Flavor, err)
	}
	if c, err := b.Up(t.Context(), q, nil); err != nil || c.Flavor != plan.Flavor {
		t.Errorf("up chooses %q, %v", c.Flavor, err)
	}
}

// TestDryRunFindsPorts: a dry run finds a port that another program uses.
func TestDryRunFindsPorts(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	b, q := labtest.New(t, nil), labtest.Request("lab")
	q.Spec.Ports = []providers.Port{{Host: other.Addr().(*net.TCPAddr).Port, Container: 80}}
	if _, err := b.DryRun(t.Context(), q); err == nil {
		t.Error("it plans a port that is taken")
	}
}

// TestDryRunOfPrune: a dry run names the addons that up removes and those that the cluster has afterwards.
func TestDryRunOfPrune(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\n")
	b.MustUp(t, "demo", "hello", "shop")
	q := labtest.Request("demo", "hello")
	if plan, err := b.DryRun(t.Context(), q); err != nil || !slices.Equal(plan.Addons, []string{"hello", "shop"}) || len(plan.Removes) > 0 {
		t.Errorf("without --prune: addons %q, removes %q, %v", plan.Addons, plan.Removes, err)
	}
	q.Prune = true
	plan, err := b.DryRun(t.Context(), q)
	if err != nil || !slices.Equal(plan.Addons, []string{"hello"}) || !slices.Equal(plan.Removes, []string{"shop"}) {
		t.Errorf("addons %q, removes %q, %v", plan.Addons, plan.Removes, err)
	}
}

// TestGivenZero: an explicit 0 is a request, an omitted value is not.
func TestGivenZero(t *testing.T) {
	t.Parallel()
	b, q := labtest.New(t, nil), labtest.Request("lab")
	q.Spec.Workers = 2
	if _, err := b.Up(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	q = labtest.Request("lab")
	if d, err := b.Diff(t.Context(), q); err != nil || len(d.Items) > 0 {
		t.Errorf("nothing is asked: %+v, %v", d, err)
	}
	q.Given = profiles.Origins{"cluster.workers": "--workers"}
	if d, err := b.Diff(t.Context(), q); err != nil || len(d.Items) != 1 || d.Items[0].Asked != "0" {
		t.Errorf("0 is asked: %+v, %v", d, err)
	}
	if _, err := b.Up(t.Context(), q, nil); !errors.Is(err, fault.ErrExists) {
		t.Errorf("up: %v, want ErrExists", err)
	}
	q.Recreate = true
	if plan, err := b.DryRun(t.Context(), q); err != nil || plan.Spec.Workers != 0 {
		t.Errorf("--recreate: %+v, %v", plan, err)
	}
}
