package providertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// leave creates a file of the cluster that List does not see.
func (m *mutant) leave(name string) error {
	return os.WriteFile(filepath.Join(string(m.fake.machine), "volume-of-"+name), nil, 0o600)
}

func bugsOfDelete() map[string]bug {
	return map[string]bug{
		"leaves a volume on delete": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				return cmp.Or(m.fake.Delete(ctx, ref), m.leave(ref.Name))
			}
		}, "a cluster/once deleted/leaves nothing"},
		"deletes the others too": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				return cmp.Or(m.fake.Delete(ctx, ref), os.RemoveAll(m.fake.machine.path("")))
			}
		}, "clusters side by side/can be deleted one by one"},
		"loses track in an interrupted delete": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				if ctx.Err() != nil {
					return errors.Join(ctx.Err(), m.fake.machine.remove(ref.Name), m.leave(ref.Name))
				}
				return m.fake.Delete(ctx, ref)
			}
		}, "clusters side by side/can be deleted though it was interrupted"},
		"can delete but one at a time": {func(m *mutant) {
			var busy sync.Mutex
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				return alone(&busy, func() error { return m.fake.Delete(ctx, ref) })
			}
		}, "clusters side by side/can be deleted at the same time"},
	}
}

// alone fails if another call of f is running, and makes calls slow enough to overlap.
func alone(busy *sync.Mutex, f func() error) error {
	if !busy.TryLock() {
		return errors.New("another call is under way")
	}
	defer busy.Unlock()
	<-time.After(30 * time.Millisecond)
	return f()
}

func bugsSideBySide() map[string]bug {
	return map[string]bug{
		"needs a Reporter": {onCreate(func(_ *mutant, good create) create {
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				if r == nil {
					return errors.New("no reporter")
				}
				return good(ctx, s, r)
			}
		}), "clusters side by side/need no Reporter"},
		"can make but one at a time": {onCreate(func(_ *mutant, good create) create {
			var busy sync.Mutex
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				return alone(&busy, func() error { return good(ctx, s, r) })
			}
		}), "clusters side by side/are created at the same time"},
		"has one ID for all": {onEach(func(_ *mutant, c *providers.Cluster) { c.ID = "id" }),
			"clusters side by side/have different IDs"},
		"takes the name for an ID": {onEach(func(_ *mutant, c *providers.Cluster) { c.ID = c.Name }),
			"clusters side by side/differ from earlier ones of the same name"},
	}
}

func bugsOfHalfMade() map[string]bug {
	refused := errors.New("refused")
	return map[string]bug{
		"lists an incomplete cluster as running": {onEach(func(_ *mutant, c *providers.Cluster) { c.State = providers.StateRunning }),
			"an incomplete cluster/is listed, and not as running"},
		"hides an incomplete cluster": {func(m *mutant) {
			m.list = func(ctx context.Context) ([]providers.Cluster, error) {
				all, err := m.fake.List(ctx)
				halfMade := func(c providers.Cluster) bool { return c.State == providers.StateCreating }
				return slices.DeleteFunc(all, halfMade), err
			}
		}, "an incomplete cluster/is listed, and not as running"},
		"recreates an incomplete cluster": {onCreate(func(m *mutant, good create) create {
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				if r, err := m.fake.machine.load(s.Name); err == nil && r.CA == nil {
					return m.fake.machine.remove(s.Name)
				}
				return good(ctx, s, r)
			}
		}), "an incomplete cluster/keeps its name"},
		"has no logs of an incomplete cluster": {func(m *mutant) {
			m.exportLogs = func(ctx context.Context, ref providers.Ref, dir string) error {
				return m.unless(providers.StateCreating, ref.Name, refused,
					func() error { return m.fake.ExportLogs(ctx, ref, dir) })
			}
		}, "an incomplete cluster/exports the available logs"},
		"cannot delete an incomplete cluster": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				return m.unless(providers.StateCreating, ref.Name, refused,
					func() error { return m.fake.Delete(ctx, ref) })
			}
		}, "an incomplete cluster/is deleted without leftovers"},
		"forgets the mark of an incomplete cluster": {onEach(func(_ *mutant, c *providers.Cluster) {
			if c.State == providers.StateCreating {
				c.Mark = ""
			}
		}), "an incomplete cluster/bears its mark or cannot bear one"},
		"takes the clusters of others for lab's": {onEach(func(_ *mutant, c *providers.Cluster) { c.Bare = c.Mark == "" }),
			"a foreign cluster/bears no mark"},
		"marks the clusters of others": {onEach(func(_ *mutant, c *providers.Cluster) { c.Mark = cmp.Or(c.Mark, "lab's") }),
			"a foreign cluster/bears no mark"},
		"hides the clusters of others": {func(m *mutant) {
			m.list = func(ctx context.Context) ([]providers.Cluster, error) {
				all, err := m.fake.List(ctx)
				foreign := func(c providers.Cluster) bool {
					r, err := m.fake.machine.load(c.Name)
					return err == nil && r.Spec.Workers == 0
				}
				return slices.DeleteFunc(all, foreign), err
			}
		}, "a foreign cluster/is listed, with an ID"},
	}
}

// nameOnly returns a reference as a provider sees it that checks names alone.
func nameOnly(ref providers.Ref) providers.Ref {
	return providers.Ref{Provider: ref.Provider, Name: ref.Name}
}

// bugsOfOwner returns bugs in the identification of a cluster.
func bugsOfOwner() map[string]bug {
	const lost, both, other = "a recorded cluster/once its ID is lost/", "a recorded cluster/once its ID and its mark are lost/",
		"a recorded cluster/once another has its name/"
	return map[string]bug{
		"knows its clusters by the ID alone": {onEach(func(_ *mutant, c *providers.Cluster) {
			if c.State == providers.StateRunning && c.ID == "" {
				c.Mark = ""
			}
		}), lost + "it is known by its mark"},
		"takes a lost ID for another's": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				if r, err := m.fake.machine.load(ref.Name); err == nil && ref.ID != "" && r.id() != ref.ID {
					return fault.ErrForeign
				}
				return m.fake.Delete(ctx, ref)
			}
		}, lost + "it is deleted without leftovers"},
		"takes the unknown for another's": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error {
				if err := m.fake.Delete(ctx, ref); errors.Is(err, fault.ErrUnavailable) {
					return fault.ErrForeign
				} else {
					return err
				}
			}
		}, both + "it is neither deleted nor called foreign"},
		"deletes by name": {func(m *mutant) {
			m.delete = func(ctx context.Context, ref providers.Ref) error { return m.fake.Delete(ctx, nameOnly(ref)) }
		}, other + "the other one is not deleted"},
		"reads kubeconfigs by name": {func(m *mutant) {
			m.kubeconfig = func(ctx context.Context, ref providers.Ref) ([]byte, error) {
				return m.fake.Kubeconfig(ctx, nameOnly(ref))
			}
		}, other + "the other one's kubeconfig is not returned"},
		"stops by name": {func(m *mutant) {
			m.stop = func(ctx context.Context, ref providers.Ref) error { return m.fake.Stop(ctx, nameOnly(ref)) }
		}, other + "the other one is not stopped"},
		"starts by name": {func(m *mutant) {
			m.start = func(ctx context.Context, ref providers.Ref, r event.Reporter) error {
				return m.fake.Start(ctx, nameOnly(ref), r)
			}
		}, other + "the other one is not started"},
		"exports logs by name": {func(m *mutant) {
			m.exportLogs = func(ctx context.Context, ref providers.Ref, dir string) error {
				return m.fake.ExportLogs(ctx, nameOnly(ref), dir)
			}
		}, other + "the other one's logs are not exported"},
		"loads images by name": {func(m *mutant) {
			m.loadImages = func(ctx context.Context, ref providers.Ref, archive string) error {
				return m.fake.LoadImages(ctx, nameOnly(ref), archive)
			}
		}, other + "the other one gets no images"},
	}
}

func bugsOfManners() map[string]bug {
	return map[string]bug{
		"prints": {onCreateError(func(_ *mutant, name string, err error) error {
			fmt.Println("creating cluster", name)
			return err
		}), "the provider never/prints"},
		"writes into the user's kubeconfig": {onCreateError(func(_ *mutant, name string, err error) error {
			path := filepath.SplitList(os.Getenv("KUBECONFIG"))[0]
			return cmp.Or(err, os.WriteFile(path, []byte("current-context: "+name), 0o600))
		}), "the provider never/touches the user's kubeconfig"},
		"locks the user's kubeconfig": {onCreateError(func(_ *mutant, _ string, err error) error {
			path := filepath.Join(os.Getenv("HOME"), ".kube", "config.lock")
			return cmp.Or(err, os.WriteFile(path, nil, 0o600))
		}), "the provider never/touches the user's kubeconfig"},
		"reports once it has returned": {func(m *mutant) {
			var late sync.Once
			var report event.Reporter
			onCreate(func(_ *mutant, good create) create {
				return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
					if r != nil {
						late.Do(func() { report = r })
					}
					return good(ctx, s, r)
				}
			})(m)
			m.stop = func(ctx context.Context, ref providers.Ref) error {
				report.Start("Waiting for nodes").End(nil)
				return m.fake.Stop(ctx, ref)
			}
		}, "the provider never/reports an event once the call has returned"},
	}
}
