package clusters

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/logs"
)

// FlavorAuto requests the first usable flavor.
const FlavorAuto = "auto"

// rollback limits the removal of a cluster whose creation failed. The time of the creation does not
// count: it may be over.
const rollback = 2 * time.Minute

// UpRequest is what a command requests of a cluster.
type UpRequest struct {
	From         string         // the snapshot that a new cluster is created from
	Flavor       string         // "" and FlavorAuto: that of an existing cluster, else the first usable one
	Spec         providers.Spec // zero values that are not in Given are not requested
	Given        profiles.Origins
	NoKubeconfig bool                  // do not change the user's kubeconfig
	Addons       clusteraddons.Request // in addition to the addons that the cluster has
	Profile      string                // the profile that Spec came from, for the record
	Prune        bool                  // remove the addons that are not requested
	Recreate     bool                  // delete an existing cluster, and create it again
	Wait         inventory.Wait        // "" is WaitAll
	Rollback     bool                  // delete a new cluster that does not become ready
	TTL          time.Duration         // time to live after the cluster is ready; 0: no change or, if Given has it, no expiry

	run   bool // the cluster ends with the process that creates it
	local bool // a flavor is chosen by what this machine has
}

// Up creates a cluster, or updates it to match the request: it starts a stopped or broken cluster and
// recreates one that is gone or half-created. If the cluster matches, Up changes nothing. The returned
// cluster is ready as far as q.Wait says.
//
// Errors: those of [providers.Set.Create] and [providers.Set.Start]; ErrExists if a cluster of the
// name cannot be changed to match; ErrForeign if it is not managed by lab. A creation that fails or
// is interrupted leaves nothing. A cluster that does not become ready stays, unless q.Rollback is
// set: the next Up resumes. So does a cluster whose addons cannot be installed, with the errors of
// [clusteraddons.Addons.Install], and one whose entry cannot be written to the user's kubeconfig.
func (c *Clusters) Up(ctx context.Context, q UpRequest, report event.Reporter) (output.Cluster, error) {
	name := q.Spec.Name
	unlock, err := c.Inventory.Lock(ctx, name, report)
	if err != nil {
		return output.Cluster{}, err
	}
	defer unlock()
	h, err := c.Inventory.OpenOrNew(name)
	if err != nil {
		return output.Cluster{}, err
	}
	plan, err := c.planUp(ctx, h, q, report)
	if err != nil {
		return output.Cluster{}, err
	}
	if err := plan.verify(name, report); err != nil {
		return output.Cluster{}, err
	}
	// A cluster without its kubeconfig entry is ready, so its addons are still installed.
	noEntry, err := splitNoEntry(c.carryOutChecked(ctx, h, plan, q, report))
	if err == nil && (q.TTL > 0 || q.Given["ttl"] != "") {
		err = expire(h, q.TTL, c.Inventory.Now())
	}
	if err == nil && c.offline(q) {
		err = c.loadImages(ctx, h, plan, report.For(name))
	}
	if err == nil {
		err = c.updateAddons(ctx, h, plan, q.Prune, report.For(name))
	}
	if err := errors.Join(err, noEntry); err != nil {
		return output.Cluster{}, err
	}
	return c.Addons.Status(ctx, h, false)
}

// planUp returns the plan of Up. Without a network, it first looks for the charts, and has the engine get the node images.
func (c *Clusters) planUp(ctx context.Context, h *inventory.Handle, q UpRequest, report event.Reporter) (Plan, error) {
	q.local = c.offline(q)
	q.Spec.Offline = q.Spec.Offline || q.local
	plan, err := c.plan(ctx, h, q)
	plan.reportChoice(report.For(q.Spec.Name))
	if err != nil || !c.offline(q) || !plan.creates() {
		return plan, err
	}
	if err := c.Addons.CheckCached(ctx, plan.missing()); err != nil {
		return plan, err
	}
	return c.prepare(ctx, plan, report)
}

// updateAddons makes the addons of a ready cluster match a plan. For the addons that a restored cluster
// has from its snapshot, lab only waits until they work: it needs no charts.
func (c *Clusters) updateAddons(ctx context.Context, h *inventory.Handle, plan Plan, prune bool, report event.Reporter) error {
	if plan.from == nil {
		return c.Addons.Update(ctx, h, plan.addons, prune, report)
	}
	if err := c.Addons.Await(ctx, h, report); err != nil {
		return err
	}
	has, err := c.Addons.Applied(ctx, h, plan.from.Addons)
	if err != nil {
		return err
	}
	return c.Addons.Update(ctx, h, plan.addons.Beyond(has), prune, report)
}

// carryOutChecked is carryOut. Meanwhile it fetches and checks the charts of a new cluster. If one cannot be installed,
// it ends the creation, which leaves nothing, and returns the error. If the cluster is ready by then, the cluster stays,
// and the installation returns the error.
func (c *Clusters) carryOutChecked(ctx context.Context, h *inventory.Handle, plan Plan, q UpRequest, report event.Reporter) error {
	missing := plan.missing()
	if !plan.creates() || len(missing.Requests) == 0 {
		return c.carryOut(ctx, h, plan, q, report)
	}
	flavor, err := c.Inventory.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	creation, finish := c.Addons.Prefetch(ctx, missing, c.target(ctx, plan, flavor))
	err = c.carryOut(creation, h, plan, q, report)
	stopped := creation.Err() != nil && ctx.Err() == nil
	invalid := finish(err)
	if err == nil || !stopped {
		return err
	}
	if _, left := c.Inventory.State.Get(plan.Name); left == nil { // err says why
		return fault.WithHint(fmt.Errorf("%w\nthe creation was stopped: %s", invalid, err.Error()), "%s", fault.HintOf(err))
	}
	return invalid
}

// carryOut creates or starts the cluster of a plan, and waits until it is ready.
func (c *Clusters) carryOut(ctx context.Context, h *inventory.Handle, plan Plan, q UpRequest, report event.Reporter) error {
	switch plan.Action {
	case ActionRecreate:
		err := report.For(plan.Name).Do("Deleting the old cluster", func(step *event.Step) error { return c.remover().remove(ctx, h, step) })
		if err != nil {
			return err
		}
		return creation{c, h, plan, q, report}.run(ctx)
	case ActionCreate:
		return creation{c, h, plan, q, report}.run(ctx)
	case ActionStart:
		return c.start(ctx, h, q.Wait, !q.NoKubeconfig, report)
	}
	return c.resume(ctx, h, q.Wait, !q.NoKubeconfig, report)
}

// creation is the creation of one cluster.
type creation struct {
	*Clusters
	h      *inventory.Handle
	plan   Plan
	q      UpRequest
	report event.Reporter
}

// run creates the cluster, and waits until it is ready.
func (n creation) run(ctx context.Context) error {
	set := n.Inventory.Set
	record, err := n.newRecord(ctx)
	if err != nil {
		return err
	}
	n.h.Changed()
	n.h.Record = record
	// Before the first side effect, so that the next lab process finds what a killed one left.
	if err := n.h.Put(); err != nil {
		return err
	}
	created, err := set.Create(ctx, n.plan.Flavor, record.Spec, n.report)
	if errors.Is(err, fault.ErrExists) {
		// Another program created a cluster of that name since the plan was made. It must not be deleted.
		return errors.Join(err, n.Inventory.State.Delete(n.plan.Name))
	}
	if err != nil {
		return n.undo(ctx, err)
	}
	n.h.Created(created)
	if _, err := n.h.Kubeconfig(ctx); err != nil {
		return n.undo(ctx, err)
	}
	if err := n.h.Put(); err != nil {
		return n.undo(ctx, err)
	}
	return n.finish(ctx)
}

// newRecord returns the record of the cluster before its creation.
func (n creation) newRecord(ctx context.Context) (state.Record, error) {
	p, err := n.Inventory.Set.Get(n.plan.Flavor)
	if err != nil {
		return state.Record{}, err
	}
	spec := n.plan.Spec
	spec.Mark = uuid.NewString()
	engine, err := n.Inventory.Set.Engine(ctx, n.plan.Flavor, spec)
	if err != nil {
		return state.Record{}, err
	}
	now := n.Inventory.Now()
	r := state.Record{
		Name: n.plan.Name, Flavor: n.plan.Flavor, Engine: engine, Phase: state.PhaseCreating, CreatedAt: now.UTC().Truncate(time.Second),
		Spec: spec, Traits: p.Traits(spec), Run: n.q.run, Profile: n.q.Profile, Addons: n.plan.addons.Requests, NotReady: true,
	}
	if m := n.plan.from; m != nil {
		r.From, r.AddonStates, r.Profile = m.Name, m.AddonStates, cmp.Or(r.Profile, m.Profile)
	}
	if n.q.TTL > 0 { // counted from now in case lab is killed
		r.TTL, r.ExpiresAt = n.q.TTL, after(now, n.q.TTL)
	}
	return r, nil
}

// finish waits until a cluster that was just created is ready. A cluster that does not become ready
// is deleted only if its creation is interrupted, if another program deleted it, or if the request
// says so. In the last case its logs are saved first.
func (n creation) finish(ctx context.Context) error {
	err := n.awaitReady(ctx, n.h, n.q.Wait, !n.q.NoKubeconfig, n.report)
	noEntry, unready := splitNoEntry(err)
	if unready == nil {
		n.h.Relist() // the cluster was listed when its API server first answered; its state has changed since
		return noEntry
	}
	r := n.h.Record
	gone := errors.Is(unready, fault.ErrNotFound) || errors.Is(unready, fault.ErrForeign)
	switch {
	case errors.Is(ctx.Err(), context.Canceled), gone:
		return n.undo(ctx, unready)
	case n.q.Rollback, n.q.run:
		unready = logs.With(ctx, r.Name, r.Spec.LogsDir, unready, func(ctx context.Context, dir string) error {
			return n.Inventory.Set.ExportLogs(ctx, n.h.Ref(), dir)
		})
		return n.undo(ctx, unready)
	}
	// So that the user can look at it with kubectl. If this fails, the next Up reports it. The time of
	// ctx may be over.
	_ = n.entries().publish(context.WithoutCancel(ctx), n.h, !n.q.NoKubeconfig)
	return stays(r, unready)
}

// stays adds to the error of a cluster that is not ready how to resume, inspect or delete it.
func stays(r state.Record, err error) error {
	resume := "lab up " + r.Name
	if errors.Is(err, context.DeadlineExceeded) {
		resume += " --timeout 20m"
	}
	hint := fmt.Sprintf("the cluster stays; resume: %s; inspect it: lab kubectl %s -- get pods --all-namespaces; delete it: lab down %s",
		resume, r.Name, r.Name)
	if first := fault.HintOf(err); first != "" {
		hint = first + "\n" + hint
	}
	return fault.WithHint(err, "%s", hint)
}

// undo deletes what a creation that failed with cause left, and returns cause.
func (n creation) undo(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	left := n.remover().removeBy(ctx, n.h, n.Inventory.Set.Delete)
	if left == nil {
		return cause
	}
	hint := "lab down " + n.plan.Name
	if first := cmp.Or(fault.HintOf(left), fault.HintOf(cause)); first != "" {
		hint = first + "; then: " + hint
	}
	return fault.WithHint(fmt.Errorf("%w\nand its leftovers could not be removed: %w", cause, left), "%s", hint)
}
