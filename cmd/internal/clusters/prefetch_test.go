package clusters_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// noticed is a source that notes that a chart was requested, and then takes as long as wait.
type noticed struct {
	addons.Source
	requested func()
	wait      func(context.Context) error
}

func (n noticed) Chart(ctx context.Context, c addons.Chart) (addons.Archive, error) {
	n.requested()
	if err := n.wait(ctx); err != nil {
		return addons.Archive{}, err
	}
	return n.Source.Chart(ctx, c)
}

// TestChartsAreFetchedMeanwhile checks that charts are downloaded while the cluster is created,
// and that a creation that fails does not wait for them.
func TestChartsAreFetchedMeanwhile(t *testing.T) {
	t.Parallel()
	for what, fails := range map[string]bool{"the creation succeeds": false, "the creation fails": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := labtest.WithAddons(t, labtest.OnNodes())
			requested := make(chan struct{})
			wait := func(ctx context.Context) error { return ctx.Err() }
			if fails {
				wait = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
			}
			once := sync.OnceFunc(func() { close(requested) })
			b.Addons.Tools.Source = func(bool, []byte) addons.Source { return noticed{addontest.Source{}, once, wait} }

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := b.Clusters.Up(ctx, clusters.UpRequest{
				Flavor: "fake", Spec: providers.Spec{Name: "demo"}, Addons: clusteraddons.Request{Names: []string{"hello"}},
			}, func(e event.Event) {
				if e.Step != "Preparing nodes" || e.State != event.Started {
					return
				}
				select {
				case <-requested:
				case <-time.After(20 * time.Second):
					t.Error("no chart was requested while the cluster was created")
				}
				if fails {
					cancel()
				}
			})
			if fails != errors.Is(err, context.Canceled) || !fails && err != nil {
				t.Error(err)
			}
		})
	}
}
