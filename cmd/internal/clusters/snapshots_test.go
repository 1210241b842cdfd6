package clusters_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestSnapshotNamesPasswords checks that a save names the Secrets with generated passwords.
func TestSnapshotNamesPasswords(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	s := clusters.Snapshots{Clusters: b.Clusters}
	b.Define(t, "shop", "name: shop\nchart: {builtin: hello}\nnamespace: till\nsecrets: [{name: login, generated: [password]}, {name: plain, fixed: {a: b}}]\n")
	b.MustUp(t, "demo", "shop")
	saved, err := s.Save(t.Context(), "base", "demo", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(saved.Passwords, []string{"shop: Secret till/login"}) || !slices.Equal(saved.Addons, []string{"shop"}) {
		t.Errorf("%+v", saved)
	}
}

// TestRestoreSyncsEtcd checks that whether etcd waits for the disk depends on the restored cluster, not on
// the saved one.
func TestRestoreSyncsEtcd(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	s := clusters.Snapshots{Clusters: b.Clusters}
	q := labtest.Request("demo")
	q.TTL = time.Hour
	if _, err := b.Up(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), "base", "demo", nil); err != nil {
		t.Fatal(err)
	}
	for name, ttl := range map[string]time.Duration{"stays": 0, "expires": time.Hour} {
		q := labtest.Request(name)
		q.From, q.TTL = "base", ttl
		if _, err := s.Restore(t.Context(), q, nil); err != nil {
			t.Fatal(err)
		}
		r, err := b.State.Get(name)
		if err != nil || r.Spec.Wants.UnsyncedEtcd != (ttl > 0) || r.From != "base" || r.Spec.Mark == "" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestRestoreOnAnotherMachine checks that a snapshot of another architecture is refused before anything is
// created, also if a cluster would be deleted first.
func TestRestoreOnAnotherMachine(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.MustUp(t, "demo")
	draft, err := b.Snapshots.Begin(t.Context(), "base")
	if err != nil {
		t.Fatal(err)
	}
	s := clusters.Snapshots{Clusters: b.Clusters}
	if _, err := s.Save(t.Context(), "own", "demo", nil); err != nil {
		t.Fatal(err)
	}
	m, err := b.Snapshots.Get("own")
	if err != nil {
		t.Fatal(err)
	}
	m.Snapshot.Arch = "pdp11"
	if _, err := draft.Commit(m); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"copy", "demo"} {
		q := labtest.Request(name)
		q.From, q.Recreate = "base", true
		_, err := b.Up(t.Context(), q, nil)
		labtest.WantIs(t, err, fault.ErrUnsupported)
		if err == nil || !strings.Contains(err.Error(), "the snapshot is for pdp11 machines") {
			t.Errorf("%v", err)
		}
	}
	if all := b.Existing(t); len(all) != 1 || all[0].Name != "demo" {
		t.Errorf("there is %+v", all)
	}
	b.WantNoRecord(t, "copy")
}

// failing is a flavor that cannot create clusters from snapshots.
type failing struct {
	providers.Provider
	providers.Snapshotter
}

func (f failing) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	if spec.From != nil {
		return errors.New("the data is damaged")
	}
	return f.Provider.Create(ctx, spec, report)
}

// TestRestoreFails checks that a failed restore leaves no record, and that the snapshot stays.
func TestRestoreFails(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return failing{p, p.(providers.Snapshotter)} })
	b.MustUp(t, "demo")
	s := clusters.Snapshots{Clusters: b.Clusters}
	if _, err := s.Save(t.Context(), "base", "demo", nil); err != nil {
		t.Fatal(err)
	}
	q := labtest.Request("copy")
	q.From = "base"
	if _, err := b.Up(t.Context(), q, nil); err == nil || !strings.Contains(err.Error(), "the data is damaged") {
		t.Errorf("%v", err)
	}
	b.WantNoRecord(t, "copy")
	if m, err := b.Snapshots.Get("base"); err != nil || m.Verify() != nil {
		t.Errorf("the snapshot: %v", err)
	}
}
