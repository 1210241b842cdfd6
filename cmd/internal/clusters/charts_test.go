package clusters_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// refusing is an installer that refuses all charts, for the version of Kubernetes that they are checked for.
type refusing struct {
	addons.Installer
	version *atomic.Value
}

func (r refusing) Check(_ addons.Release, kubernetes string) error {
	r.version.Store(kubernetes)
	return fault.WithHint(fault.Errorf(fault.ErrInvalid, "chart requires another Kubernetes"), "choose another version")
}

// endless is a flavor whose creation ends with its context.
type endless struct{ providers.Provider }

func (endless) Create(ctx context.Context, _ providers.Spec, _ event.Reporter) error {
	<-ctx.Done()
	return ctx.Err()
}

// withRemoteChart returns a bench with an addon whose chart is downloaded, and refused.
func withRemoteChart(t *testing.T) (labtest.Bench, *atomic.Value) {
	t.Helper()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {oci: oci://x/shop, version: 1.0.0}\n")
	version := &atomic.Value{}
	b.Addons.Tools.Installer = refusing{b.Fake, version}
	return b, version
}

func wantRefusal(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, fault.ErrInvalid) || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "addon shop: chart requires another") ||
		fault.HintOf(err) != "choose another version" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
}

// TestInvalidChartEndsCreation: a downloaded chart that cannot be installed ends the creation of its cluster, which leaves
// nothing.
func TestInvalidChartEndsCreation(t *testing.T) {
	t.Parallel()
	b, version := withRemoteChart(t)
	p, err := b.Set.Get("fake")
	if err != nil {
		t.Fatal(err)
	}
	if b.Inventory.Set, err = providers.NewSet(endless{p}); err != nil {
		t.Fatal(err)
	}
	q := labtest.Request("demo", "shop")
	q.Spec.KubernetesVersion = "v1.37.1"
	_, err = b.Up(t.Context(), q, nil)
	wantRefusal(t, err)
	b.WantNoRecord(t, "demo")
	if version.Load() != "v1.37.1" {
		t.Errorf("the chart was checked for Kubernetes %v", version.Load())
	}
}

// TestInvalidChartIsInDryRun: a dry run refuses a cached chart that cannot be installed.
func TestInvalidChartIsInDryRun(t *testing.T) {
	t.Parallel()
	b, _ := withRemoteChart(t)
	_, err := b.DryRun(t.Context(), labtest.Request("demo", "shop"))
	wantRefusal(t, err)
}

// TestInvalidChartPreventsRecreation: a cached chart that cannot be installed is found before the old cluster is deleted.
func TestInvalidChartPreventsRecreation(t *testing.T) {
	t.Parallel()
	b, _ := withRemoteChart(t)
	b.MustUp(t, "demo")
	q := labtest.Request("demo", "shop")
	q.Recreate = true
	_, err := b.Up(t.Context(), q, nil)
	wantRefusal(t, err)
	if all := b.Existing(t); len(all) != 1 || all[0].State != providers.StateRunning {
		t.Errorf("the old cluster: %+v", all)
	}
}
