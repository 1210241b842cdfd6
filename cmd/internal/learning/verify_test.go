package learning

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// scaled is a cluster with one Deployment. It records updates.
type scaled struct {
	exercises.Cluster
	replicas []int64
}

func (c *scaled) Get(_ context.Context, r exercises.Resource, _, name string) (exercises.Object, error) {
	if r.Kind != "Deployment" {
		return nil, fault.Errorf(fault.ErrNotFound, "no %s %s", r.Kind, name)
	}
	return exercises.Object{"kind": "Deployment", "metadata": map[string]any{"name": name}, "spec": map[string]any{"replicas": int64(0)}}, nil
}

func (c *scaled) Update(_ context.Context, _ exercises.Resource, _ string, o exercises.Object) error {
	c.replicas = append(c.replicas, o["spec"].(map[string]any)["replicas"].(int64))
	return nil
}

// TestRestore checks that the next command restores what a killed check changed, once, and only on the
// same cluster while no other process works on it.
func TestRestore(t *testing.T) {
	t.Parallel()
	const undo = `{"cluster":"lab","id":"one","undo":{"kind":"Deployment","namespace":"shop","object":{"metadata":{"name":"web"},"spec":{"replicas":3}}}}`
	for name, test := range map[string]struct {
		content, id string
		busy        bool
		want        int
		stays       bool
	}{
		"killed":          {undo, "one", false, 1, false},
		"another cluster": {undo, "two", false, 0, false},
		"damaged":         {"{", "one", false, 0, false},
		"still running":   {undo, "one", true, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := &Learning{Dir: dir, Inventory: &inventory.Inventory{State: state.Open(filepath.Join(dir, "state")), Now: time.Now}}
			if err := os.WriteFile(l.undoPath("lab"), []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.busy {
				unlock, err := l.Inventory.State.Lock(t.Context(), "lab")
				if err != nil {
					t.Fatal(err)
				}
				defer unlock()
			}
			cluster := &scaled{}
			if err := l.restore(t.Context(), "lab", place{Cluster: cluster, id: test.id}); err != nil {
				t.Fatal(err)
			}
			if len(cluster.replicas) != test.want || test.want == 1 && cluster.replicas[0] != 3 {
				t.Errorf("replicas were set to %v", cluster.replicas)
			}
			if _, err := os.Stat(l.undoPath("lab")); errors.Is(err, os.ErrNotExist) == test.stays {
				t.Errorf("the file: %v", err)
			}
		})
	}
}

// TestPatience checks that an answer has time for two runs of the checks that act, however long they take, and that more
// runs do not prolong the wait for a result that never comes.
func TestPatience(t *testing.T) {
	t.Parallel()
	began := time.Now()
	limit := patience{ends: began.Add(time.Second)}
	for run, want := range []time.Duration{time.Minute + time.Second, 2*time.Minute + time.Second, 2*time.Minute + time.Second} {
		limit.spent(time.Minute)
		if got := limit.ends.Sub(began); got != want {
			t.Errorf("after run %d: %s, want %s", run, got, want)
		}
	}
}

// interrupted is a cluster whose user presses Ctrl-C at the first request.
type interrupted struct {
	exercises.Cluster
	cancel context.CancelFunc
}

func (c *interrupted) Get(ctx context.Context, _ exercises.Resource, _, _ string) (exercises.Object, error) {
	c.cancel()
	return nil, ctx.Err()
}

// TestVerifyInterrupted checks that exercises that were not finished are not reported as wrong.
func TestVerifyInterrupted(t *testing.T) {
	t.Parallel()
	pack, err := exercises.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	v := Verifier{Cluster: &interrupted{cancel: cancel}, RunsPods: true, Nodes: 3}
	err = v.Verify(ctx, pack.Exercises, func(p Proof) { t.Errorf("%s: %q", p.Exercise.Name, p.Problems) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Verify returned %v, want the error of the context", err)
	}
}
