package clusters_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// aged sets the end of a cluster's time to live to the past.
func aged(t *testing.T, b labtest.Bench, name string) {
	t.Helper()
	r, err := b.State.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Minute)
	r.ExpiresAt = &past
	if err := b.State.Put(r); err != nil {
		t.Fatal(err)
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	for _, name := range []string{"forever", "young", "old", "used"} {
		b.MustUp(t, name)
	}
	if _, err := b.Extend(t.Context(), "young", time.Hour); err != nil {
		t.Fatal(err)
	}
	aged(t, b, "old")
	aged(t, b, "used")
	release, err := b.State.Use("used")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Collect(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	names, _ := b.Names("")
	if got := len(names); got != 3 || names[2] != "young" || names[1] != "used" {
		t.Errorf("left are %q", names)
	}
	release()
	if got, _ := b.Due(); len(got) != 1 || got[0] != "used" {
		t.Errorf("due are %q, want used", got)
	}
}

// TestCollectContinues: Collect deletes the other clusters if one cannot be deleted, which stays due.
func TestCollectContinues(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.MustUp(t, "demo")
	aged(t, b, "demo")
	if err := b.Machine.SetFaults(providertest.Faults{Fail: map[string]string{"delete": "no"}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Collect(t.Context(), nil); err == nil {
		t.Error("there is no error")
	}
	if err := b.Machine.SetFaults(providertest.Faults{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Collect(t.Context(), nil); err != nil {
		t.Error(err)
	}
	b.WantNoRecord(t, "demo")
}

func TestTTLOutOfRange(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	for _, ttl := range []time.Duration{-1, -time.Hour, time.Millisecond, 100 * 365 * 24 * time.Hour} {
		q := labtest.Request("demo")
		q.TTL = ttl
		_, err := b.Up(t.Context(), q, nil)
		labtest.WantIs(t, err, fault.ErrInvalid)
		if fault.HintOf(err) == "" {
			t.Errorf("%s: no hint", ttl)
		}
	}
}

// TestWatch: Watch returns when the cluster is deleted, and a second Watch returns at once.
func TestWatch(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	q := labtest.Request("demo")
	q.TTL = time.Second
	if _, err := b.Up(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	errs := make(chan error, 2)
	for range 2 {
		go func() { errs <- b.Watch(ctx, "demo") }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	b.WantNoRecord(t, "demo")
	if got := b.Existing(t); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	failed := errors.New("the command failed")
	for what, tt := range map[string]struct {
		keep bool
		do   error
		want int // remaining clusters
	}{
		"well":             {false, nil, 0},
		"kept if it fails": {true, nil, 0},
		"fails":            {false, failed, 0},
		"fails, and kept":  {true, failed, 1},
	} {
		b := labtest.New(t, nil)
		q := labtest.Request(clusters.RunName())
		looked := false
		work := clusters.Work{Keep: func() bool { return tt.keep }, Failed: func(clusters.Running) { looked = true }}
		work.Do = func(r clusters.Running) error {
			if len(r.Config) == 0 || r.Name != q.Spec.Name || !b.State.Used(r.Name) || len(b.Expired()) > 0 {
				t.Errorf("%s: it runs on %+v", what, r)
			}
			return tt.do
		}
		left, err := b.Run(t.Context(), q, work, nil)
		if looked != (tt.do != nil) {
			t.Errorf("%s: it was looked at: %v", what, looked)
		}
		if left != nil || !errors.Is(err, tt.do) {
			t.Errorf("%s: %v, %v", what, left, err)
		}
		if got := b.Existing(t); len(got) != tt.want {
			t.Errorf("%s: left are %v", what, got)
		}
		if got, _ := b.Due(); len(got) > 0 {
			t.Errorf("%s: due are %q", what, got)
		}
	}
}

// TestRunKilled: the cluster of a killed lab run is due.
func TestRunKilled(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.MustUp(t, "run-x")
	r, err := b.State.Get("run-x")
	if err != nil {
		t.Fatal(err)
	}
	r.Run, r.Phase = true, state.PhaseCreating
	if err := b.State.Put(r); err != nil {
		t.Fatal(err)
	}
	if err := b.Collect(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b.WantNoRecord(t, "run-x")
}
