package clusters_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestLike checks that a request like a cluster has its settings, its addons in the versions and with the values that
// it has, and what is added; and that addons of another version than that of the catalog are reported.
func TestLike(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Clusters.PodImages = func(context.Context, []byte) ([]probe.PodImage, error) {
		return []probe.PodImage{{Name: "web:v1"}}, nil
	}
	const shop = "name: shop\nchart: {repository: https://a.example, name: shop, version: %}\n"
	b.Define(t, "shop", strings.Replace(shop, "%", "1.0.0", 1))
	q := labtest.Request("demo", "shop")
	q.Spec.Workers = 2
	q.Addons.Values = map[string]addons.Values{"shop": {"size": "small", "color": "red"}}
	if _, err := b.Up(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	b.Define(t, "shop", strings.Replace(shop, "%", "2.0.0", 1))
	var warned []string
	got, images, err := b.Like(t.Context(), "demo", clusters.UpRequest{Addons: clusteraddons.Request{
		Names: []string{"hello"}, Values: map[string]addons.Values{"shop": {"color": "blue"}},
	}}, func(e event.Event) { warned = append(warned, e.Message) })
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Spec; got.Flavor != "fake" || s.Workers != 2 || s.KubernetesVersion != "v1.37.2" || s.Mark != "" {
		t.Errorf("flavor %s, spec %+v", got.Flavor, s)
	}
	if diff := cmp.Diff([]string{"shop", "hello"}, got.Addons.Names); diff != "" {
		t.Errorf("addons (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]addons.Values{"shop": {"size": "small", "color": "blue"}}, got.Addons.Values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if d := got.Addons.Defined; len(d) != 1 || d[0].Chart.Version != "1.0.0" {
		t.Errorf("definitions: %+v", d)
	}
	if len(images) != 1 || len(warned) != 1 || !strings.Contains(warned[0], "has shop 1.0.0, and lab up installs 2.0.0") {
		t.Errorf("images %v, warnings %q", images, warned)
	}
}

// TestLikeNotRunning checks the errors of a cluster whose pods cannot be read.
func TestLikeNotRunning(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Clusters.PodImages = func(context.Context, []byte) ([]probe.PodImage, error) { return nil, errors.New("it sleeps") }
	b.MustUp(t, "demo")
	for _, want := range []string{"it sleeps", "is stopped"} {
		_, _, err := b.Like(t.Context(), "demo", clusters.UpRequest{}, nil)
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), want) || !strings.Contains(fault.HintOf(err), "lab start demo") {
			t.Errorf("%v; hint: %s", err, fault.HintOf(err))
		}
		if _, err := b.Clusters.Stop(t.Context(), "demo", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := b.Like(t.Context(), "none", clusters.UpRequest{}, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("no cluster: %v", err)
	}
}
