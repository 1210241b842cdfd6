package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/logs"
)

// FlavorAuto asks for the first flavor that can be used.
const FlavorAuto = "auto"

// UpRequest is what a person asks of [Lab.Up].
type UpRequest struct {
	Flavor       string         // "" and FlavorAuto: that of the cluster if there is one, else the first usable
	Spec         providers.Spec // zero values that are not in Given are not requested
	Given        profiles.Origins
	NoKubeconfig bool          // leave the user's kubeconfig alone
	Addons       AddonRequest  // the addons that are wanted, in addition to those of earlier requests
	Profile      string        // the profile that Spec came from, for the record
	Prune        bool          // remove the addons that are not requested
	Recreate     bool          // delete an existing cluster, and create it again
	Wait         Wait          // "" is WaitAll
	Rollback     bool          // delete a new cluster that does not become ready
	TTL          time.Duration // time to live, from when the cluster is ready; 0: no change or, if Given has it, no expiry

	run bool // the cluster goes with the process that makes it
}

// Up creates the cluster, or updates it to match the request: one that is stopped or
// broken is started, one that is gone or half-made is recreated. Where nothing is
// to do it does nothing. The cluster that it returns is ready, as far as q.Wait says.
//
// Errors: those of [providers.Set.Create] and [providers.Set.Start]; ErrExists
// where the name belongs to a cluster that does not match; ErrForeign where it
// belongs to one that is not managed by lab. A creation that fails or is interrupted leaves
// nothing. A cluster that was created and does not become ready stays, unless q.Rollback: the
// next Up resumes. So does one whose addons cannot be installed, where errors are those of
// [Lab.InstallAddons], and one whose entry cannot be written to the user's kubeconfig.
func (l *Lab) Up(ctx context.Context, q UpRequest, report event.Reporter) (Cluster, error) {
	name := q.Spec.Name
	unlock, err := l.lock(ctx, name, report)
	if err != nil {
		return Cluster{}, err
	}
	defer unlock()
	h, err := l.load(name)
	if err != nil {
		return Cluster{}, err
	}
	plan, err := l.plan(ctx, h, q)
	if err != nil {
		return Cluster{}, err
	}
	// A cluster without its kubeconfig entry is ready, so its addons are still installed.
	noEntry, err := splitNoEntry(l.carryOut(ctx, h, plan, q, report))
	if err == nil && (q.TTL > 0 || q.Given["ttl"] != "") {
		err = l.expire(h, q.TTL)
	}
	if err == nil {
		err = l.updateAddons(ctx, h, plan, q, report.For(name))
	}
	if err := errors.Join(err, noEntry); err != nil {
		return Cluster{}, err
	}
	return l.status(ctx, h, false)
}

// carryOut creates or starts the cluster, and waits until it is ready.
func (l *Lab) carryOut(ctx context.Context, h *handle, plan Plan, q UpRequest, report event.Reporter) error {
	switch plan.Action {
	case ActionRecreate:
		err := report.For(plan.Name).Do("Deleting the old cluster", func(step *event.Step) error { return l.remove(ctx, h, step) })
		if err != nil {
			return err
		}
		return l.create(ctx, h, plan, q, report)
	case ActionCreate:
		return l.create(ctx, h, plan, q, report)
	case ActionStart:
		return l.start(ctx, h, q.Wait, !q.NoKubeconfig, report)
	}
	return l.resume(ctx, h, q.Wait, !q.NoKubeconfig, report)
}

// updateAddons removes the addons that are to go, and installs those of the plan.
func (l *Lab) updateAddons(ctx context.Context, h *handle, plan Plan, q UpRequest, report event.Reporter) error {
	requests := plan.requests
	if q.Prune {
		surplus, err := l.surplus(h, q.Addons)
		if err != nil {
			return err
		}
		for _, name := range surplus {
			if err := l.takeOut(ctx, h, name, report); err != nil {
				return err
			}
			requests = requests.Without(name)
		}
	}
	return l.ensure(ctx, h, requests, q.Addons, report)
}

// lock waits for another lab that works on the cluster, as long as ctx lets it: it
// may be making just what is asked for.
func (l *Lab) lock(ctx context.Context, name string, report event.Reporter) (unlock func(), err error) {
	if err := providers.ValidateName(name); err != nil {
		return nil, err
	}
	patient := *l.State
	patient.Patience = time.Hour
	if !l.State.Busy(name) {
		// Patient all the same: another lab that came at this moment may be faster.
		return patient.Lock(ctx, name)
	}
	err = report.For(name).Do("Waiting for another lab that works on it", func(*event.Step) error {
		unlock, err = patient.Lock(ctx, name)
		return err
	})
	return unlock, err
}

// create creates the cluster that plan describes, and waits until it is ready.
func (l *Lab) create(ctx context.Context, h *handle, plan Plan, q UpRequest, report event.Reporter) error {
	p, err := l.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	plan.Spec.Mark = uuid.NewString()
	engine, err := l.Set.Engine(ctx, plan.Flavor, plan.Spec)
	if err != nil {
		return err
	}
	h.changed()
	h.record = state.Record{
		Name: plan.Name, Flavor: plan.Flavor, Engine: engine, Phase: state.PhaseCreating, CreatedAt: l.Now().UTC().Truncate(time.Second),
		Spec: plan.Spec, Traits: p.Traits(plan.Spec), Run: q.run, Profile: q.Profile, Addons: plan.requests, NotReady: true,
	}
	if q.TTL > 0 {
		h.record.TTL, h.record.ExpiresAt = q.TTL, l.after(q.TTL) // counted from now, if lab should be killed
	}
	// First of all, so that a lab killed from here on leaves something to find.
	if err := h.put(); err != nil {
		return err
	}
	c, err := l.Set.Create(ctx, plan.Flavor, plan.Spec, report)
	if errors.Is(err, fault.ErrExists) {
		// Somebody else was faster, and theirs must not be removed.
		return errors.Join(err, l.State.Delete(plan.Name))
	}
	if err != nil {
		return l.undo(ctx, h, err)
	}
	h.live, h.record.ID, h.record.Phase = &c, c.ID, state.PhaseCreated
	if _, err := h.kubeconfig(ctx); err != nil {
		return l.undo(ctx, h, err)
	}
	if err := h.put(); err != nil {
		return l.undo(ctx, h, err)
	}
	return l.finish(ctx, h, q, report)
}

// finish waits until a cluster that was just created is ready. One that does not become ready
// is deleted only where its creation is interrupted, where something else deleted it, and
// where that is asked for; the logs of the last are saved before.
func (l *Lab) finish(ctx context.Context, h *handle, q UpRequest, report event.Reporter) error {
	err := l.awaitReady(ctx, h, q.Wait, !q.NoKubeconfig, report)
	noEntry, unready := splitNoEntry(err)
	if unready == nil {
		h.live = nil // it was listed when the API server first answered; parts may be new since
		return noEntry
	}
	r := h.record
	gone := errors.Is(unready, fault.ErrNotFound) || errors.Is(unready, fault.ErrForeign)
	switch {
	case errors.Is(ctx.Err(), context.Canceled), gone:
		return l.undo(ctx, h, unready)
	case q.Rollback, q.run:
		unready = logs.With(ctx, r.Name, r.Spec.LogsDir, unready, func(ctx context.Context, dir string) error {
			return l.Set.ExportLogs(ctx, refOf(r), dir)
		})
		return l.undo(ctx, h, unready)
	}
	// So that kubectl can show why. What keeps lab from it the next Up tells, too. It takes no
	// time of ctx, which may be over.
	_ = l.publish(context.WithoutCancel(ctx), h, !q.NoKubeconfig)
	return stays(r, unready)
}

// stays adds to the error of a cluster that is not ready how to resume, look at it, or give it
// up.
func stays(r state.Record, err error) error {
	resume := "lab up " + r.Name
	if errors.Is(err, context.DeadlineExceeded) {
		resume += " --timeout 20m"
	}
	hint := fmt.Sprintf("the cluster stays; resume: %s; look at it: lab kubectl %s -- get pods --all-namespaces; delete it: lab down %s",
		resume, r.Name, r.Name)
	if first := fault.HintOf(err); first != "" {
		hint = first + "\n" + hint
	}
	return fault.WithHint(err, "%s", hint)
}

// undo removes what a creation that failed with cause left, and returns cause.
func (l *Lab) undo(ctx context.Context, h *handle, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	if left := l.takeAway(ctx, h, l.Set.Delete); left != nil {
		hint := "lab down " + h.record.Name
		if first := cmp.Or(fault.HintOf(left), fault.HintOf(cause)); first != "" {
			hint = first + "; then: " + hint
		}
		return fault.WithHint(fmt.Errorf("%w\nand what is left of it could not be removed: %w", cause, left), "%s", hint)
	}
	return cause
}
