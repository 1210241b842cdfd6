package clusters_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// never is an API server whose cluster does not become ready.
type never struct{ labtest.Prober }

func (*never) Wait(ctx context.Context, _ []byte, _ probe.Want, _ func(string)) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestBreaksMeanwhile: up stops waiting for a cluster that breaks, and reports why.
func TestBreaksMeanwhile(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(labtest.Bench) error
		says    string
		kind    error
	}{
		"its engine dies": {func(b labtest.Bench) error { return b.Machine.Break("lab") }, "the cluster broke while lab waited for it: its engine is gone", nil},
		"it is deleted": {func(b labtest.Bench) error {
			return b.Set.All()[0].Delete(context.Background(), providers.Ref{Name: "lab"})
		}, "cluster not found", fault.ErrNotFound},
		"it is remade": {func(b labtest.Bench) error { return b.Machine.Remake("lab") }, "not the one that lab created", fault.ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := labtest.New(t, nil)
				b.MustUp(t, "lab")
				if _, err := b.Stop(t.Context(), "lab", nil); err != nil {
					t.Fatal(err)
				}
				b.Probe = &never{}
				happened := make(chan error, 1)
				time.AfterFunc(time.Minute+time.Second, func() { happened <- test.happens(b) }) // between two listings
				began := time.Now()
				_, err := b.Start(t.Context(), "lab", inventory.WaitAll, nil)
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%v, want %q", err, test.says)
				}
				if err := <-happened; err != nil {
					t.Error(err)
				}
				if test.kind != nil {
					labtest.WantIs(t, err, test.kind)
				}
				if took := time.Since(began); took > 80*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// TestRecoversMeanwhile: up keeps waiting for a cluster that answers late.
func TestRecoversMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := labtest.New(t, nil)
		b.MustUp(t, "lab")
		b.Probe = &never{}
		time.AfterFunc(time.Minute+time.Second, func() { _ = b.Machine.Break("lab") })
		time.AfterFunc(time.Minute+9*time.Second, func() {
			_ = os.Remove(filepath.Join(string(b.Machine), "clusters", "lab", "broken"))
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		_, err := b.Start(ctx, "lab", inventory.WaitAll, nil)
		labtest.WantIs(t, err, context.DeadlineExceeded)
	})
}

// dated is a flavor that knows when nodes began to run.
type dated struct {
	providers.Provider
	providers.StartStopper
	since map[string]time.Time
}

func (d dated) List(ctx context.Context) ([]providers.Cluster, error) {
	all, err := d.Provider.List(ctx)
	for i := range all {
		all[i].Since = d.since
	}
	return all, err
}

// TestSince: reports from before a start do not count. A new cluster has none, and nodes that were seen
// ready since they began to run need not report again.
func TestSince(t *testing.T) {
	since := map[string]time.Time{"node": time.Now()}
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return dated{p, p.(providers.StartStopper), since} })
	prober := b.Probe.(*labtest.Prober)
	b.MustUp(t, "lab")
	if prober.Waited.Since != nil || prober.Looked.Since != nil {
		t.Errorf("after its creation it was waited for reports since %v, and looked for some since %v", prober.Waited.Since, prober.Looked.Since)
	}
	if _, err := b.Stop(t.Context(), "lab", nil); err != nil {
		t.Fatal(err)
	}
	since["node"] = time.Now().Add(time.Minute) // it starts again
	b.MustUp(t, "lab")
	if diff := cmp.Diff(since, prober.Waited.Since); diff != "" {
		t.Errorf("after its start it was waited for reports since (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(since, prober.Looked.Since); diff != "" {
		t.Errorf("after its start reports were looked for since (-want +got):\n%s", diff)
	}
}
