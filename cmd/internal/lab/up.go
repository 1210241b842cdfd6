package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	TTL          time.Duration // how long the cluster lives, from when it is ready; 0: as long as it did before, or for ever

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
	plan, err := l.Plan(ctx, q)
	if err != nil {
		return Cluster{}, err
	}
	switch plan.Action {
	case ActionRecreate:
		err = report.For(name).Do("Deleting the old cluster", func(step *event.Step) error { return l.remove(ctx, name, step) })
		if err == nil {
			err = l.create(ctx, plan, q, report)
		}
	case ActionCreate:
		err = l.create(ctx, plan, q, report)
	case ActionStart:
		err = l.start(ctx, name, q.Wait, !q.NoKubeconfig, report)
	default:
		err = l.resume(ctx, name, q.Wait, !q.NoKubeconfig, report)
	}
	// The cluster is ready without its entry, so up goes on.
	noEntry, err := splitNoEntry(err)
	if err == nil && q.TTL > 0 {
		err = l.expire(name, q.TTL)
	}
	if err == nil && q.Prune {
		err = l.prune(ctx, q, report)
	}
	if err == nil {
		err = l.allAddons(ctx, q, report)
	}
	if err := errors.Join(err, noEntry); err != nil {
		return Cluster{}, err
	}
	return l.status(ctx, name, false)
}

// allAddons brings the addons to what is asked now and was asked before.
func (l *Lab) allAddons(ctx context.Context, q UpRequest, report event.Reporter) error {
	r, err := l.State.Get(q.Spec.Name)
	if err != nil {
		return err
	}
	q.Addons.Names = slices.Concat(r.Addons.Names(), q.Addons.Names)
	return l.ensure(ctx, r, q.Addons, report.For(r.Name))
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
func (l *Lab) create(ctx context.Context, plan Plan, q UpRequest, report event.Reporter) error {
	p, err := l.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	plan.Spec.Mark = uuid.NewString()
	engine, err := l.Set.Engine(ctx, plan.Flavor, plan.Spec)
	if err != nil {
		return err
	}
	r := state.Record{
		Name: plan.Name, Flavor: plan.Flavor, Engine: engine, Phase: state.PhaseCreating, CreatedAt: l.Now().UTC().Truncate(time.Second),
		Spec: plan.Spec, Traits: p.Traits(plan.Spec), Run: q.run, Profile: q.Profile, Addons: plan.requests, NotReady: true,
	}
	if q.TTL > 0 {
		r.TTL, r.ExpiresAt = q.TTL, l.after(q.TTL) // counted from now, if lab should be killed
	}
	// First of all, so that a lab killed from here on leaves something to find.
	if err := l.State.Put(r); err != nil {
		return err
	}
	c, err := l.Set.Create(ctx, plan.Flavor, plan.Spec, report)
	if errors.Is(err, fault.ErrExists) {
		// Somebody else was faster, and theirs must not be removed.
		return errors.Join(err, l.State.Delete(plan.Name))
	}
	var config []byte
	if err == nil {
		r.ID, r.Phase = c.ID, state.PhaseCreated
		config, err = l.Set.Kubeconfig(ctx, refOf(r))
	}
	if err == nil {
		err = l.State.Put(r)
	}
	if err != nil {
		return l.undo(ctx, plan.Name, err)
	}
	return l.finish(ctx, r, c, config, q, report)
}

// finish waits until a cluster that was just created is ready. One that does not become ready
// is deleted only where its creation is interrupted, where something else deleted it, and
// where that is asked for; the logs of the last are saved before.
func (l *Lab) finish(ctx context.Context, r state.Record, c providers.Cluster, config []byte, q UpRequest, report event.Reporter) error {
	err := l.awaitReady(ctx, r, c, q.Wait, config, !q.NoKubeconfig, report)
	noEntry, unready := splitNoEntry(err)
	if unready == nil {
		return noEntry
	}
	gone := errors.Is(unready, fault.ErrNotFound) || errors.Is(unready, fault.ErrForeign)
	switch {
	case errors.Is(ctx.Err(), context.Canceled), gone:
		return l.undo(ctx, r.Name, unready)
	case q.Rollback, q.run:
		unready = logs.With(ctx, r.Name, r.Spec.LogsDir, unready, func(ctx context.Context, dir string) error {
			return l.Set.ExportLogs(ctx, refOf(r), dir)
		})
		return l.undo(ctx, r.Name, unready)
	}
	// So that kubectl can show why. What keeps lab from it the next Up tells, too. It takes no
	// time of ctx, which may be over.
	_ = l.publish(context.WithoutCancel(ctx), r, config, !q.NoKubeconfig)
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
func (l *Lab) undo(ctx context.Context, name string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	if left := l.takeAway(ctx, name, l.Set.Delete); left != nil {
		hint := "lab down " + name
		if first := cmp.Or(fault.HintOf(left), fault.HintOf(cause)); first != "" {
			hint = first + "; then: " + hint
		}
		return fault.WithHint(fmt.Errorf("%w\nand what is left of it could not be removed: %w", cause, left), "%s", hint)
	}
	return cause
}
