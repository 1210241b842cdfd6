package providertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// onSave seeds a bug that changes the cluster after each save.
func onSave(change func(*record)) func(*mutant) {
	return func(m *mutant) {
		m.save = func(ctx context.Context, ref providers.Ref, dir string, r event.Reporter) (providers.Snapshot, error) {
			from, err := m.fake.SaveSnapshot(ctx, ref, dir, r)
			if err != nil {
				return from, err
			}
			return from, m.fake.machine.change(ref.Name, change)
		}
	}
}

// onRestore seeds a bug of creations from a snapshot.
func onRestore(create func(*mutant, context.Context, providers.Spec, event.Reporter) error) func(*mutant) {
	return func(m *mutant) {
		m.create = func(ctx context.Context, spec providers.Spec, r event.Reporter) error {
			if spec.From == nil {
				return m.fake.Create(ctx, spec, r)
			}
			return create(m, ctx, spec, r)
		}
	}
}

func bugsOfSnapshots() map[string]bug {
	return map[string]bug{
		"saves the unknown": {func(m *mutant) {
			m.save = func(ctx context.Context, ref providers.Ref, dir string, r event.Reporter) (providers.Snapshot, error) {
				from, err := m.fake.SaveSnapshot(ctx, ref, dir, r)
				return from, ignoreNotFound(err)
			}
		}, "an unknown cluster/cannot be saved"},
		"stops what it saves": {onSave(func(r *record) { r.State = providers.StateStopped }),
			"a snapshot/leaves a running cluster as it is"},
		"starts what it saves": {onSave(func(r *record) { r.State = providers.StateRunning }),
			"a snapshot/leaves a stopped cluster as it is"},
		"restores a snapshot once": {restoresOnce, "a snapshot/is restored several times beside its source"},
		"restores the certificate authority": {onRestore(shareAuthority),
			"a snapshot/gives each cluster an authority"},
		"restores the identity": {onRestore(shareAuthority), "a snapshot/gives each cluster an identity"},
		"changes the snapshot": {onRestore(func(m *mutant, ctx context.Context, spec providers.Spec, r event.Reporter) error {
			err := m.fake.Create(ctx, spec, r)
			return errors.Join(err, os.WriteFile(filepath.Join(spec.From.Dir, "restored"), []byte(spec.Name), 0o600))
		}), "a snapshot/is not changed by restores"},
		"cannot be interrupted in a restore": {onRestore(func(m *mutant, ctx context.Context, spec providers.Spec, r event.Reporter) error {
			return m.fake.Create(context.WithoutCancel(ctx), spec, r)
		}), "a snapshot/leaves nothing of a cancelled restore"},
	}
}

func restoresOnce(m *mutant) {
	var once sync.Once
	onRestore(func(m *mutant, ctx context.Context, spec providers.Spec, r event.Reporter) error {
		err := errors.New("the snapshot is in use")
		once.Do(func() { err = m.fake.Create(ctx, spec, r) })
		return err
	})(m)
}

// shareAuthority gives a restored cluster the certificate authority of another one, from which the fake
// derives the identity, too.
func shareAuthority(m *mutant, ctx context.Context, spec providers.Spec, r event.Reporter) error {
	all, err := m.fake.machine.list()
	if err != nil {
		return err
	}
	if err := m.fake.Create(ctx, spec, r); err != nil {
		return err
	}
	return m.fake.machine.change(spec.Name, func(r *record) {
		for _, other := range all {
			if other.CA != nil {
				r.CA = other.CA
			}
		}
	})
}
