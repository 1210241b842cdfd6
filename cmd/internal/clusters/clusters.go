// Package clusters creates, updates, starts, stops and deletes clusters. It writes the record of a
// cluster before the first side effect, so that the next lab process can clean up after one that was
// killed.
package clusters

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/snapshots"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Clusters changes and shows single clusters. It is safe for concurrent use.
type Clusters struct {
	Inventory  *inventory.Inventory
	Addons     *clusteraddons.Addons
	Kubeconfig kubeconfig.Files // of the user
	Snapshots  *snapshots.Store
	Flavor     string   // of new clusters if none is requested; "" is FlavorAuto
	Imported   Imported // for requests without a network; may be nil

	PodImages func(ctx context.Context, kubeconfig []byte) ([]probe.PodImage, error) // of all pods of a cluster
}

// Status returns a cluster with its nodes and addons. A cluster whose API server does not answer is
// degraded, which is not an error: see [output.Cluster.Ready].
func (c *Clusters) Status(ctx context.Context, name string) (output.Cluster, error) {
	h, err := c.Inventory.Open(ctx, name)
	if err != nil {
		return output.Cluster{}, err
	}
	return c.Addons.Status(ctx, h, c.Inventory.State.Busy(name))
}

// Start starts a stopped cluster, repairs a broken one, and returns it once it is ready as far as
// level says; WaitAll includes its addons. Errors are those of [providers.Set.Start], of the probe
// and of [addons.Checker].
func (c *Clusters) Start(ctx context.Context, name string, level inventory.Wait, report event.Reporter) (output.Cluster, error) {
	return c.change(ctx, name, report, func(h *inventory.Handle) error {
		if err := c.start(ctx, h, level, h.Record.Identity != "", report); err != nil {
			return err
		}
		if level == inventory.WaitAPI || level == inventory.WaitNodes {
			return nil
		}
		return c.Addons.Await(ctx, h, report.For(name))
	})
}

// Stop stops a cluster and keeps its contents. Errors are those of [providers.Set.Stop].
func (c *Clusters) Stop(ctx context.Context, name string, report event.Reporter) (output.Cluster, error) {
	return c.change(ctx, name, report, func(h *inventory.Handle) error {
		return report.For(name).Do("Stopping the cluster", func(*event.Step) error {
			h.Changed()
			return c.Inventory.Set.Stop(ctx, h.Ref())
		})
	})
}

// Use makes the context of a cluster the current one in the user's kubeconfig, and adds the entries
// of the cluster if they are missing.
func (c *Clusters) Use(ctx context.Context, name string) (output.Cluster, error) {
	return c.change(ctx, name, nil, func(h *inventory.Handle) error { return c.entries().publish(ctx, h, true) })
}

// Config returns the self-contained kubeconfig of a cluster, which may be stopped. Errors are those
// of [providers.Set.Kubeconfig].
func (c *Clusters) Config(ctx context.Context, name string) ([]byte, error) {
	h, err := c.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return nil, err
	}
	return h.Kubeconfig(ctx)
}

// ExportLogs writes the logs of a cluster into dir, which exists. The cluster may be half-created.
// Errors are those of [providers.Set.ExportLogs].
func (c *Clusters) ExportLogs(ctx context.Context, name, dir string) error {
	h, err := c.Inventory.Open(ctx, name)
	if err != nil {
		return err
	}
	return c.Inventory.Set.ExportLogs(ctx, h.Ref(), dir)
}

// change locks a usable cluster, calls do, and returns the cluster.
func (c *Clusters) change(ctx context.Context, name string, report event.Reporter, do func(*inventory.Handle) error) (output.Cluster, error) {
	h, unlock, err := c.Inventory.OpenLocked(ctx, name, report)
	if err != nil {
		return output.Cluster{}, err
	}
	defer unlock()
	if err := c.Inventory.Usable(h.Record, false); err != nil {
		return output.Cluster{}, err
	}
	if err := do(h); err != nil {
		return output.Cluster{}, err
	}
	return c.Addons.Status(ctx, h, false)
}

// start starts a cluster, which changes nothing if it runs, and waits until it is ready. If merge is
// true, it updates the user's kubeconfig: the API server may have another address. The caller holds
// the lock.
func (c *Clusters) start(ctx context.Context, h *inventory.Handle, level inventory.Wait, merge bool, report event.Reporter) error {
	h.Changed()
	if err := c.Inventory.Set.Start(ctx, h.Ref(), report); err != nil {
		return err
	}
	return c.resume(ctx, h, level, merge, report)
}

// resume waits until a running cluster is ready. The caller holds the lock.
func (c *Clusters) resume(ctx context.Context, h *inventory.Handle, level inventory.Wait, merge bool, report event.Reporter) error {
	c.bind(ctx, &h.Record)
	return c.awaitReady(ctx, h, level, merge, report)
}

// bind adds the container engine to a record that an older lab wrote without it, if the engine in
// use has the cluster.
func (c *Clusters) bind(ctx context.Context, r *state.Record) {
	if !r.Engine.IsZero() {
		return
	}
	engine, err := c.Inventory.Set.Engine(ctx, r.Flavor, r.Spec)
	if err != nil || engine.IsZero() {
		return
	}
	ref := inventory.RefOf(*r)
	ref.Engine = engine
	if _, err := c.Inventory.Set.Find(ctx, ref); err == nil {
		r.Engine = engine
	}
}

// awaitReady waits until a running cluster is ready and, if merge is true, adds it to the user's
// kubeconfig.
func (c *Clusters) awaitReady(ctx context.Context, h *inventory.Handle, level inventory.Wait, merge bool, report event.Reporter) error {
	if err := c.Inventory.AwaitReady(ctx, h, level, report); err != nil {
		return err
	}
	return c.entries().enter(ctx, h, merge)
}

// Down deletes a cluster and its entries in the user's kubeconfig. If another program deleted the
// cluster, or another cluster has its name, Down removes only the entries and the record. It returns
// ErrNotFound if there is no such cluster, and ErrForeign if it is not managed by lab.
func (c *Clusters) Down(ctx context.Context, name string, report event.Reporter) error {
	if err := providers.ValidateName(name); err != nil {
		return err
	}
	if _, err := c.Inventory.Find(ctx, name); err != nil {
		return err
	}
	return c.locked(ctx, name, func(h *inventory.Handle) error {
		return report.For(name).Do("Deleting the cluster", func(step *event.Step) error { return c.remover().remove(ctx, h, step) })
	})
}

// Forget removes the kubeconfig entries and the record of a cluster that lab cannot reach or cannot
// identify, and deletes nothing else. It returns ErrNotFound if there is no record of the name, and
// ErrInvalid if the cluster exists: Down can delete that.
func (c *Clusters) Forget(ctx context.Context, name string, report event.Reporter) error {
	if _, err := c.Inventory.State.Get(name); err != nil {
		return err
	}
	return c.locked(ctx, name, func(h *inventory.Handle) error {
		return report.For(name).Do("Removing the record of the cluster", func(*event.Step) error {
			if _, err := h.Cluster(ctx); err == nil {
				return fault.WithHint(fault.Errorf(fault.ErrInvalid, "cluster %q exists, and lab can delete it", name), "lab down %s", name)
			}
			return c.remover().forget(ctx, h.Record)
		})
	})
}

// locked calls do with a recorded cluster while no other lab process works on it. It does not wait as
// long as change: a removal must not wait for a creation.
func (c *Clusters) locked(ctx context.Context, name string, do func(*inventory.Handle) error) error {
	unlock, err := c.Inventory.State.Lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	h, err := c.Inventory.OpenRecorded(name)
	if err != nil {
		return err
	}
	return do(h)
}

func (c *Clusters) entries() entries {
	return entries{set: c.Inventory.Set, files: c.Kubeconfig}
}

func (c *Clusters) remover() remover { return remover{c.Inventory, c.entries()} }

// remover deletes clusters together with their kubeconfig entries and their records.
type remover struct {
	*inventory.Inventory
	entries entries
}

// remove deletes a cluster, its kubeconfig entries and, last, its record, so that it can be called
// again after any failure. The caller holds the lock.
func (m remover) remove(ctx context.Context, h *inventory.Handle, step *event.Step) error {
	return m.removeBy(ctx, h, func(ctx context.Context, ref providers.Ref) error {
		if ref.ID == "" { // lab was killed while it created the cluster
			return m.Set.DeleteOrphan(ctx, ref, step)
		}
		return m.Set.Delete(ctx, ref)
	})
}

// removeBy is remove with a function that deletes the cluster. The provider lists the cluster again
// before it deletes anything: what an earlier listing showed may be another cluster's by now.
func (m remover) removeBy(ctx context.Context, h *inventory.Handle, del func(context.Context, providers.Ref) error) error {
	if err := m.HasFlavor(h.Record); err != nil {
		return err // before the record changes, for the lab that has the flavor
	}
	before := h.Record
	h.Record.Phase = state.PhaseDeleting
	// On a full disk the record cannot be written. The removal continues: it frees space.
	_ = h.Put()
	err := del(ctx, h.Ref())
	if errors.Is(err, fault.ErrUnavailable) {
		h.Record = before
		_ = h.Put() // the engine could not be asked, so nothing was deleted
		return orForget(err, before)
	}
	// A foreign cluster of that name stays; the recorded one no longer exists.
	if err != nil && !errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrForeign) {
		return err
	}
	return m.forget(ctx, h.Record)
}

// orForget adds to the error of an unreachable cluster the command for an engine that no longer
// exists.
func orForget(err error, r state.Record) error {
	if r.Engine.IsZero() {
		return err
	}
	hint := "if that engine no longer exists: lab down " + r.Name + " --forget"
	if first := fault.HintOf(err); first != "" {
		hint = first + "\n" + hint
	}
	return fault.WithHint(err, "%s", hint)
}

// forget removes the kubeconfig entries of a cluster and, last, its record.
func (m remover) forget(ctx context.Context, r state.Record) error {
	if err := m.entries.remove(ctx, r); err != nil {
		return err
	}
	return m.State.Delete(r.Name)
}
