package providers

import (
	"context"
	"runtime"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Snapshot is a saved cluster. [Spec].From creates clusters from it.
type Snapshot struct {
	// Dir is the directory with the files of the snapshot. Creations only read it, so several may
	// use it at a time.
	Dir string `json:"-"`

	Arch              string            `json:"arch"`              // the processor architecture, as in GOARCH
	KubernetesVersion string            `json:"kubernetesVersion"` // "v1.37.2"
	Details           map[string]string `json:"details,omitempty"` // what else the flavor needs for a creation
}

// Snapshotter is implemented by providers whose clusters can be saved. Their Create creates a
// cluster from Spec.From, if that is set: with the contents of the saved cluster, and with an
// identity, keys, tokens, ports and a certificate authority that no other cluster has. Their Check
// returns ErrUnsupported for a snapshot that they cannot use.
type Snapshotter interface {
	// SaveSnapshot writes the contents of a cluster into dir, an empty directory. The cluster may
	// run or be stopped, and stays so; a running one may pause. The files contain neither keys nor
	// tokens that the cluster itself accepts. They do contain all Secrets of its users. After an
	// error, dir may contain anything.
	SaveSnapshot(ctx context.Context, ref Ref, dir string, report event.Reporter) (Snapshot, error)
}

// CanSnapshot returns ErrUnsupported if the flavor has no snapshots, and ErrInvalid if it is
// unknown.
func (s *Set) CanSnapshot(flavor string) error {
	p, err := s.Get(flavor)
	if err != nil {
		return err
	}
	_, err = snapshotter(p)
	return wrap("save a snapshot", p, "", err)
}

// SaveSnapshot writes the contents of the cluster into dir. Errors are those of Delete, and
// ErrUnsupported.
func (s *Set) SaveSnapshot(ctx context.Context, ref Ref, dir string, report event.Reporter) (saved Snapshot, err error) {
	err = s.on(ctx, "save a snapshot of", ref, func(p Provider) error {
		sn, err := snapshotter(p)
		if err == nil {
			saved, err = sn.SaveSnapshot(ctx, ref, dir, report.For(ref.Name))
		}
		saved.Dir, saved.Arch = dir, runtime.GOARCH
		return err
	})
	return saved, err
}

func snapshotter(p Provider) (Snapshotter, error) {
	if sn, ok := p.(Snapshotter); ok {
		return sn, nil
	}
	return nil, unsupported("save snapshots", "see which flavors can: lab flavors")
}

// restorable returns ErrUnsupported if p cannot create a cluster from a snapshot on this machine. It
// returns nil for a nil snapshot.
func restorable(p Provider, from *Snapshot) error {
	if from == nil {
		return nil
	}
	if _, err := snapshotter(p); err != nil {
		return err
	}
	if from.Arch != runtime.GOARCH {
		return fault.WithHint(
			fault.Errorf(fault.ErrUnsupported, "the snapshot is for %s machines, and this one is %s", from.Arch, runtime.GOARCH),
			"save a snapshot on a machine of this architecture: lab snapshot save NAME")
	}
	return nil
}
