package clusters_test

import (
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
)

// TestDisposable checks that only clusters which end soon have an etcd that does not wait for
// the disk, unless the request says otherwise.
func TestDisposable(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	never := profiles.Origins{"cluster.unsyncedEtcd": "lab.yaml:3"}
	for name, tt := range map[string]struct {
		ttl   time.Duration
		given profiles.Origins
		want  bool
	}{
		"stays": {0, nil, false}, "expires": {time.Hour, nil, true}, "refuses": {time.Hour, never, false},
	} {
		q := clusters.UpRequest{Flavor: "fake", Spec: providers.Spec{Name: name}, TTL: tt.ttl, Given: tt.given}
		plan, err := b.Clusters.Plan(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Spec.Wants.UnsyncedEtcd; got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	q := clusters.UpRequest{Flavor: "fake", Spec: providers.Spec{Name: clusters.RunName()}}
	_, err := b.Runs.Run(t.Context(), q, clusters.Work{
		Do: func(r clusters.Running) error {
			record, err := b.Inventory.State.Get(r.Name)
			if err == nil && !record.Spec.Wants.UnsyncedEtcd {
				t.Error("the cluster of a run waits for the disk")
			}
			return err
		},
		Failed: func(clusters.Running) {}, Keep: func() bool { return false },
	}, nil)
	if err != nil {
		t.Error(err)
	}
}
