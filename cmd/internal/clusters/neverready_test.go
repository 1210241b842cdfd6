package clusters_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestNeverReady: a cluster that was created and does not become ready stays, and the next up
// resumes. With Rollback it is deleted, and its logs are saved. If the user interrupts, it is deleted
// without logs.
func TestNeverReady(t *testing.T) {
	for name, test := range map[string]struct {
		interrupted, rollback bool
		stays                 bool
		saved                 int
	}{
		"time is over":                {stays: true},
		"time is over, with rollback": {rollback: true, saved: 1},
		"interrupted":                 {interrupted: true},
		"interrupted, with rollback":  {interrupted: true, rollback: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := labtest.New(t, nil)
				b.Probe = &never{}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				cause := context.DeadlineExceeded
				if test.interrupted {
					cause = context.Canceled
					time.AfterFunc(time.Second, cancel)
				}
				q, logs := labtest.Request("demo"), filepath.Join(b.Home, "logs")
				q.Spec.LogsDir, q.Rollback = logs, test.rollback
				_, err := b.Up(ctx, q, nil)
				labtest.WantIs(t, err, cause)
				saved, _ := filepath.Glob(filepath.Join(logs, "lab-demo-logs-*", "*"))
				if len(saved) != test.saved || strings.Contains(err.Error(), "its logs are in "+logs) != (test.saved > 0) {
					t.Errorf("%v; there is %q", err, saved)
				}
				if !test.stays {
					b.WantNoRecord(t, "demo")
					if got := b.Existing(t); len(got) != 0 {
						t.Errorf("left: %+v", got)
					}
					return
				}
				if hint := fault.HintOf(err); !strings.Contains(hint, "resume: lab up demo") || !strings.Contains(hint, "lab down demo") {
					t.Errorf("hint %q", hint)
				}
				if current, _ := b.Kubeconfig.Current(); current != "fake-demo" {
					t.Errorf("kubectl cannot look at it: the current context is %q", current)
				}
				resumed(t, b)
			})
		})
	}
}

// resumed checks that a cluster that stayed is usable, and that the next up makes it ready.
func resumed(t *testing.T, b labtest.Bench) {
	t.Helper()
	r, err := b.State.Get("demo")
	if err != nil || r.Phase != state.PhaseCreated || !r.NotReady {
		t.Errorf("the record: phase %q, not ready %v, %v", r.Phase, r.NotReady, err)
	}
	if _, err := b.Config(t.Context(), "demo"); err != nil {
		t.Error(err)
	}
	b.Probe = &labtest.Prober{}
	id := b.Existing(t)[0].ID
	if c := b.MustUp(t, "demo"); c.State != providers.StateRunning {
		t.Errorf("after the next up it is %s (%s)", c.State, c.Reason)
	}
	if r, err := b.State.Get("demo"); err != nil || r.NotReady || r.ID != id {
		t.Errorf("the record: not ready %v, ID %q, want %q; %v", r.NotReady, r.ID, id, err)
	}
}

// TestRunNeverReady: a run deletes a cluster that does not become ready.
func TestRunNeverReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := labtest.New(t, nil)
		b.Probe = &never{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		q := labtest.Request("run-x")
		q.Spec.LogsDir = filepath.Join(b.Home, "logs")
		left, err := b.Run(ctx, q, clusters.Work{
			Do:     func(clusters.Running) error { t.Error("the command ran"); return nil },
			Failed: func(clusters.Running) {},
			Keep:   func() bool { return false },
		}, nil)
		labtest.WantIs(t, err, context.DeadlineExceeded)
		if left != nil || len(b.Existing(t)) > 0 {
			t.Errorf("left: %v, %+v", left, b.Existing(t))
		}
	})
}

// TestNeverReadyWithoutTimeout: up reports at once what waiting cannot fix, and keeps the cluster.
func TestNeverReadyWithoutTimeout(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.Probe = &labtest.Prober{Err: errors.New("the certificate is not valid for 0.0.0.0")}
	_, err := b.Up(t.Context(), labtest.Request("demo"), nil)
	if err == nil || !strings.Contains(err.Error(), `cluster "demo" is not ready: the certificate is not valid`) {
		t.Errorf("%v", err)
	}
	b.Probe = &labtest.Prober{}
	resumed(t, b)
}
