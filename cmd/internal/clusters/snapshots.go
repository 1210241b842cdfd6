package clusters

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/snapshots"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Snapshots saves clusters, and restores them under any name.
type Snapshots struct{ Clusters *Clusters }

// oldAfter is the age at which gc mentions a snapshot.
const oldAfter = 30 * 24 * time.Hour

// Save saves a cluster, running or stopped, as the snapshot name. The cluster stays as it is. Errors:
// ErrExists if there is a snapshot of that name; ErrUnsupported, before any side effect, if the flavor
// has no snapshots; ErrUnavailable for a half-created cluster; those of
// [providers.Set.SaveSnapshot]. After an error there is no snapshot.
func (s *Snapshots) Save(ctx context.Context, name, cluster string, report event.Reporter) (output.Snapshot, error) {
	i := s.Clusters.Inventory
	if err := cmp.Or(providers.ValidateSnapshotName(name), providers.ValidateName(cluster)); err != nil {
		return output.Snapshot{}, err
	}
	r, err := i.Find(ctx, cluster)
	if err == nil {
		err = i.Set.CanSnapshot(r.Flavor)
	}
	if err != nil {
		return output.Snapshot{}, err
	}
	h, unlock, err := i.OpenLocked(ctx, cluster, report)
	if err != nil {
		return output.Snapshot{}, err
	}
	defer unlock()
	if err := i.Usable(h.Record, false); err != nil {
		return output.Snapshot{}, err
	}
	m, err := s.save(ctx, name, h, report)
	return viewSnapshot(m), err
}

// save saves a cluster that this process has locked.
func (s *Snapshots) save(ctx context.Context, name string, h *inventory.Handle, report event.Reporter) (snapshots.Manifest, error) {
	i := s.Clusters.Inventory
	draft, err := s.Clusters.Snapshots.Begin(ctx, name)
	if err != nil {
		return snapshots.Manifest{}, err
	}
	defer func() { _ = draft.Discard() }() // if it stays, gc removes it
	m := manifestOf(h.Record, i.Now())
	if m.Snapshot, err = i.Set.SaveSnapshot(ctx, h.Ref(), draft.Dir(), report); err != nil {
		return m, err
	}
	err = report.For(h.Record.Name).Do("Storing the snapshot", func(*event.Step) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err = draft.Commit(m)
		return err
	})
	return m, err
}

func manifestOf(r state.Record, now time.Time) snapshots.Manifest {
	spec := r.Spec
	spec.Name, spec.Mark = "", ""
	spec.Wants.UnsyncedEtcd = false // each restored cluster lives as long as its own request says
	return snapshots.Manifest{
		CreatedAt: now.UTC().Truncate(time.Second), Cluster: r.Name, Flavor: r.Flavor,
		Spec: spec, Profile: r.Profile, Addons: r.Addons, AddonStates: r.AddonStates, Passwords: passwords(r.Addons),
	}
}

// passwords names the Secrets with generated passwords: each cluster that is restored from the snapshot
// has the same ones.
func passwords(requests addons.Requests) []string {
	var all []string
	for _, q := range requests {
		a := q.Addon
		for _, secret := range a.Secrets {
			if len(secret.Generated) > 0 {
				all = append(all, fmt.Sprintf("%s: Secret %s/%s", a.Name, a.In(), secret.Name))
			}
		}
		if name := a.Access.Credentials.Secret; name != "" {
			all = append(all, fmt.Sprintf("%s: Secret %s/%s", a.Name, a.In(), name))
		}
	}
	return slices.Compact(all)
}

// Restore creates the cluster of q from q.From. q.Spec.Name may be "": then the cluster has the name of
// the one that was saved. Restore returns ErrExists if there is such a cluster, and otherwise the errors
// of [Clusters.Up].
func (s *Snapshots) Restore(ctx context.Context, q UpRequest, report event.Reporter) (output.Cluster, error) {
	m, err := s.Clusters.Snapshots.Get(q.From)
	if err != nil {
		return output.Cluster{}, err
	}
	q.Spec.Name = cmp.Or(q.Spec.Name, m.Cluster)
	if r, err := s.Clusters.Inventory.State.Get(q.Spec.Name); err == nil && r.Phase == state.PhaseCreated {
		err := fault.Errorf(fault.ErrExists, "there is a cluster %q already", r.Name)
		return output.Cluster{}, fault.WithHint(err, "choose another name: lab snapshot restore %s NAME; or delete the cluster: lab down %s", m.Name, r.Name)
	}
	return s.Clusters.Up(ctx, q, report)
}

// Name returns the name of the cluster that Restore creates if none is requested.
func (s *Snapshots) Name(snapshot string) (string, error) {
	m, err := s.Clusters.Snapshots.Get(snapshot)
	return m.Cluster, err
}

// List returns all snapshots. problems says which cannot be used.
func (s *Snapshots) List() (list output.SnapshotList, problems error) {
	list = output.SnapshotList{Meta: output.NewMeta("SnapshotList"), Items: []output.Snapshot{}}
	all, problems := s.Clusters.Snapshots.List()
	for _, m := range all {
		list.Items = append(list.Items, viewSnapshot(m))
	}
	return list, problems
}

// Remove removes a snapshot. Errors are those of [snapshots.Store.Remove].
func (s *Snapshots) Remove(ctx context.Context, name string) error {
	return s.Clusters.Snapshots.Remove(ctx, name)
}

// Export writes a snapshot to w, as one file for Import. Errors are those of [snapshots.Manifest.Export].
func (s *Snapshots) Export(name string, w io.Writer) error {
	m, err := s.Clusters.Snapshots.Get(name)
	if err != nil {
		return err
	}
	return m.Export(w)
}

// Import stores a snapshot that Export wrote, under name, or under its own name if name is "". Errors are
// those of [snapshots.Store.Import].
func (s *Snapshots) Import(ctx context.Context, r io.Reader, name string) (output.Snapshot, error) {
	m, err := s.Clusters.Snapshots.Import(ctx, r, name)
	return viewSnapshot(m), err
}

// Leftovers reports whether killed processes left parts of snapshots.
func (s *Snapshots) Leftovers() bool { return len(s.Clusters.Snapshots.Leftovers()) > 0 }

// Sweep removes these parts.
func (s *Snapshots) Sweep(report event.Reporter) error {
	return report.Do("Removing the leftovers of interrupted snapshots", func(*event.Step) error { return s.Clusters.Snapshots.Sweep() })
}

// Old returns the snapshots that are older than a month.
func (s *Snapshots) Old() []output.Snapshot {
	list, _ := s.List()
	return slices.DeleteFunc(list.Items, func(m output.Snapshot) bool {
		return s.Clusters.Inventory.Now().Sub(m.CreatedAt) < oldAfter
	})
}

func viewSnapshot(m snapshots.Manifest) output.Snapshot {
	return output.Snapshot{
		Meta: output.NewMeta("Snapshot"), Name: m.Name, Cluster: m.Cluster, Flavor: m.Flavor,
		KubernetesVersion: m.Snapshot.KubernetesVersion, Arch: m.Snapshot.Arch, CreatedAt: m.CreatedAt, SizeBytes: m.Size(),
		Addons: append([]string{}, m.Addons.Names()...), Passwords: append([]string{}, m.Passwords...),
	}
}
