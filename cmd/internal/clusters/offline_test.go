package clusters_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// everything has all images.
type everything struct{}

func (everything) NodeImages(_ context.Context, _ string, images []string, _ event.Reporter) ([]string, error) {
	return images, nil
}

func (everything) CheckNodeImages(context.Context, string, []string) error { return nil }

func (everything) Lacks(context.Context, []string) ([]string, error) { return nil, nil }

func (everything) Load(context.Context, providers.Ref, []string, event.Reporter) ([]string, error) {
	return nil, nil
}

// uncached is a source without charts.
type uncached struct{ addons.Source }

func (uncached) Chart(context.Context, addons.Chart) (addons.Archive, error) {
	return addons.Archive{}, fault.Errorf(fault.ErrUnavailable, "it is not cached")
}

// TestOfflineLooksForCharts checks that a cluster is not created without a network if a chart of its addons is missing.
func TestOfflineLooksForCharts(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Clusters.Imported = everything{}
	b.Addons.Tools.Source = func(bool, []byte) addons.Source { return uncached{} }
	_, err := b.Clusters.Up(t.Context(), clusters.UpRequest{
		Flavor: "fake", Spec: providers.Spec{Name: "demo"}, Addons: clusteraddons.Request{Names: []string{"hello"}, Offline: true},
	}, func(e event.Event) {
		if e.Step == "Preparing nodes" {
			t.Error("a cluster was created")
		}
	})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "addon hello") || !strings.Contains(fault.HintOf(err), "lab bundle import") {
		t.Errorf("%v; hint: %s", err, fault.HintOf(err))
	}
}

// nothing has no images.
type nothing struct{ everything }

func (nothing) CheckNodeImages(_ context.Context, _ string, images []string) error {
	return fault.Errorf(fault.ErrUnavailable, "no bundle has %s", strings.Join(images, ", "))
}

func (nothing) Lacks(_ context.Context, images []string) ([]string, error) { return images, nil }

// withNodes is a flavor with node images.
type withNodes struct{ providers.Provider }

func (withNodes) NodeImages(providers.Spec) ([]string, error) { return []string{"node:v1"}, nil }

func (withNodes) LacksImages(context.Context, []string) ([]string, error) { return nil, nil }

func (withNodes) KeepImages(context.Context, string) error { return nil }

// TestOfflineDryRun checks that a dry run without a network names everything that is missing, as Up would.
func TestOfflineDryRun(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	q := clusters.UpRequest{
		Flavor: "fake", Spec: providers.Spec{Name: "demo"}, Addons: clusteraddons.Request{Names: []string{"hello"}, Offline: true},
	}
	b.Clusters.Addons.Tools.Images = func(addons.Release) ([]addons.Image, error) { return []addons.Image{{Name: "web:v1"}}, nil }
	for what, test := range map[string]struct {
		has     clusters.Imported
		missing []string
	}{
		"everything": {everything{}, nil},
		"no images":  {nothing{}, []string{"web:v1"}},
	} {
		b.Clusters.Imported = test.has
		plan, err := b.Clusters.DryRun(t.Context(), q)
		if err != nil || !slices.Equal(plan.Missing, test.missing) {
			t.Errorf("%s: missing %q, %v", what, plan.Missing, err)
		}
	}
	b.Addons.Tools.Source = func(bool, []byte) addons.Source { return uncached{} }
	_, err := b.Clusters.DryRun(t.Context(), q)
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "addon hello") {
		t.Errorf("no chart: %v", err)
	}
	q.Addons.Offline = false
	if plan, err := b.Clusters.DryRun(t.Context(), q); err != nil || plan.Missing != nil {
		t.Errorf("with a network: %q, %v", plan.Missing, err)
	}
}

// TestOfflineDryRunNodes checks that a dry run without a network reports the images of nodes that are missing.
func TestOfflineDryRunNodes(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return withNodes{p} })
	b.Clusters.Imported = nothing{}
	b.Clusters.Addons.Tools.Source = func(bool, []byte) addons.Source { return uncached{} }
	q := clusters.UpRequest{Flavor: "fake", Spec: providers.Spec{Name: "demo"}, Addons: clusteraddons.Request{Offline: true}}
	if _, err := b.Clusters.DryRun(t.Context(), q); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "node:v1") {
		t.Errorf("%v", err)
	}
	b.Clusters.Imported = everything{}
	if _, err := b.Clusters.DryRun(t.Context(), q); err != nil {
		t.Error(err)
	}
}
