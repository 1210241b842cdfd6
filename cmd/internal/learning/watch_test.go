package learning

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// answers is a cluster with the namespace of exercise one, and with the objects that a test sets.
type answers struct {
	exercises.Cluster
	objects map[string]exercises.Object // by KIND/NAMESPACE
}

func (c *answers) Get(_ context.Context, r exercises.Resource, namespace, name string) (exercises.Object, error) {
	if r.Kind == "Namespace" {
		return exercises.Object{"metadata": map[string]any{"labels": map[string]any{"clusterlab.dev/exercise": "mine.one"}}}, nil
	}
	if o, ok := c.objects[r.Kind+"/"+name]; ok {
		return o, nil
	}
	return nil, fault.Errorf(fault.ErrNotFound, "no %s %s in %s", r.Kind, name, namespace)
}

func (c *answers) List(context.Context, exercises.Resource, string, string) ([]exercises.Object, error) {
	return nil, nil
}

func (c *answers) Watch(ctx context.Context, _ exercises.Watched, _ func()) error {
	<-ctx.Done()
	return nil
}

// TestWatchHolds checks that a watch reports each result once, and that it is over only after the exercise passed for a
// while without interruption.
func TestWatchHolds(t *testing.T) {
	t.Parallel()
	pack, err := exercises.Load(onePack(), "mine")
	if err != nil {
		t.Fatal(err)
	}
	cluster := &answers{objects: map[string]exercises.Object{}}
	var reports []Report
	w := &watcher{
		Learning: &Learning{Dir: filepath.Join(t.TempDir(), "learning"), Inventory: &inventory.Inventory{Now: time.Now}},
		choice:   Choice{Exercise: pack.Exercises[0], Cluster: "lab"},
		place:    place{Cluster: cluster},
		changed: func(r Report, err error) error {
			reports = append(reports, r)
			return err
		},
	}
	look := func(step string, wantDone bool, wantReports int, wantHolding bool) {
		t.Helper()
		done, err := w.sync(t.Context())
		if err != nil || done != wantDone || len(reports) != wantReports || reports[len(reports)-1].Holding != wantHolding {
			t.Errorf("%s: done %t, %d reports, the last %+v, %v", step, done, len(reports), reports[len(reports)-1], err)
		}
	}
	right := exercises.Object{"data": map[string]any{"a": "1"}}
	look("in the beginning", false, 1, false)
	look("nothing changed", false, 1, false)
	cluster.objects["ConfigMap/answer"] = right
	look("it passes", false, 2, true)
	look("it still passes", false, 2, true)
	w.since = w.since.Add(-holdTime)
	delete(cluster.objects, "ConfigMap/answer")
	look("it fails again", false, 3, false)
	cluster.objects["ConfigMap/answer"] = right
	look("it passes again", false, 4, true)
	w.since = w.since.Add(-holdTime)
	look("it has passed for a while", true, 5, false)
	if items, _, err := w.List(pack); err != nil || items[0].State != StatePassed {
		t.Errorf("the progress is %+v, %v", items, err)
	}
}
