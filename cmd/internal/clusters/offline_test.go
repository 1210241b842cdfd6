package clusters_test

import (
	"context"
	"errors"
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
