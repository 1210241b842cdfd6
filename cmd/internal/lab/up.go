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
)

// FlavorAuto asks for the first flavor that can be used.
const FlavorAuto = "auto"

// UpRequest is what a person asks of [Lab.Up].
type UpRequest struct {
	Flavor       string         // "" and FlavorAuto: that of the cluster if there is one, else the first usable
	Spec         providers.Spec // what is zero and not in Given is not asked for
	Given        profiles.Origins
	NoKubeconfig bool          // leave the user's kubeconfig alone
	Addons       AddonRequest  // what is to be in the cluster, beside what was asked for before
	Profile      string        // what Spec was made by, to be remembered
	Prune        bool          // remove the addons that are not asked for
	Recreate     bool          // make a cluster anew that cannot be changed to what is asked
	TTL          time.Duration // how long the cluster lives, from when it is ready; 0: as long as it did before, or for ever

	run bool // the cluster goes with the process that makes it
}

// Up makes the cluster, or brings it to what is asked: one that is stopped or
// broken is started, one that is gone or half-made is made anew. Where nothing is
// to do it does nothing. The cluster that it returns is ready.
//
// Errors: those of [providers.Set.Create] and [providers.Set.Start]; ErrExists
// where the name belongs to a cluster that is not as asked; ErrForeign where it
// belongs to one that lab did not make. When a cluster that Up was making cannot
// be finished, for whatever reason, nothing of it remains. One whose addons cannot be
// installed stays: errors are those of [Lab.InstallAddons], and Up goes on with them. So
// does one whose entry cannot be written to the user's kubeconfig.
func (l *Lab) Up(ctx context.Context, q UpRequest, report providers.Reporter) (Cluster, error) {
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
		err = report.For(name).Do("Removing what is left of it", func(step *providers.Step) error { return l.remove(ctx, name, step) })
		if err == nil {
			err = l.create(ctx, plan, q, report)
		}
	case ActionCreate:
		err = l.create(ctx, plan, q, report)
	case ActionStart:
		err = l.start(ctx, name, !q.NoKubeconfig, report)
	default:
		err = l.resume(ctx, name, !q.NoKubeconfig, report)
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
	return l.Status(ctx, name)
}

// allAddons brings the addons to what is asked now and was asked before.
func (l *Lab) allAddons(ctx context.Context, q UpRequest, report providers.Reporter) error {
	r, err := l.State.Get(q.Spec.Name)
	if err != nil {
		return err
	}
	q.Addons.Names = slices.Concat(r.Addons.Names(), q.Addons.Names)
	return l.ensure(ctx, r, q.Addons, report.For(r.Name))
}

// lock waits for another lab that works on the cluster, as long as ctx lets it: it
// may be making just what is asked for.
func (l *Lab) lock(ctx context.Context, name string, report providers.Reporter) (unlock func(), err error) {
	if err := providers.ValidateName(name); err != nil {
		return nil, err
	}
	patient := *l.State
	patient.Patience = time.Hour
	if !l.State.Busy(name) {
		// Patient all the same: another lab that came at this moment may be faster.
		return patient.Lock(ctx, name)
	}
	err = report.For(name).Do("Waiting for another lab that works on it", func(*providers.Step) error {
		unlock, err = patient.Lock(ctx, name)
		return err
	})
	return unlock, err
}

// create makes the cluster that plan describes, and removes it again on any error.
func (l *Lab) create(ctx context.Context, plan Plan, q UpRequest, report providers.Reporter) error {
	p, err := l.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	if !q.NoKubeconfig {
		if err := l.Kubeconfig.Check(); err != nil {
			return err
		}
	}
	plan.Spec.Mark = uuid.NewString()
	engine, err := l.Set.Engine(ctx, plan.Flavor, plan.Spec)
	if err != nil {
		return err
	}
	r := state.Record{
		Name: plan.Name, Flavor: plan.Flavor, Engine: engine, Phase: state.PhaseCreating, CreatedAt: l.Now().UTC().Truncate(time.Second),
		Spec: plan.Spec, Traits: p.Traits(plan.Spec), Run: q.run, Profile: q.Profile,
	}
	if q.TTL > 0 {
		r.ExpiresAt = l.after(q.TTL) // counted from now, if lab should be killed
	}
	// First of all, so that a lab killed from here on leaves something to find.
	if err := l.State.Put(r); err != nil {
		return err
	}
	c, err := l.Set.Create(ctx, plan.Flavor, plan.Spec, report)
	if errors.Is(err, providers.ErrExists) {
		// Somebody else was faster, and theirs must not be removed.
		return errors.Join(err, l.State.Delete(plan.Name))
	}
	var config []byte
	if err == nil {
		r.ID = c.ID
		config, err = l.finish(ctx, &r, report)
	}
	if err != nil {
		return l.undo(ctx, plan.Name, err)
	}
	return l.enter(ctx, r, config, !q.NoKubeconfig)
}

// finish records a cluster that has just been made, waits until it is ready, and returns
// its kubeconfig. The logs of one that does not become ready are saved, because it will be
// removed.
func (l *Lab) finish(ctx context.Context, r *state.Record, report providers.Reporter) ([]byte, error) {
	if err := l.State.Put(*r); err != nil {
		return nil, err
	}
	config, err := l.Set.Kubeconfig(ctx, refOf(*r))
	if err != nil {
		return nil, err
	}
	if err := l.ready(ctx, *r, config, report.For(r.Name)); err != nil {
		err = &providers.Error{Op: "create", Provider: r.Flavor, Cluster: r.Name, Err: err}
		return nil, providers.WithLogs(ctx, r.Name, r.Spec.LogsDir, err, func(ctx context.Context, dir string) error {
			return l.Set.ExportLogs(ctx, refOf(*r), dir)
		})
	}
	r.Phase = state.PhaseCreated
	return config, l.State.Put(*r)
}

// undo removes what a creation that failed with cause left, and returns cause.
func (l *Lab) undo(ctx context.Context, name string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	if left := l.takeAway(ctx, name, l.Set.Delete); left != nil {
		hint := "lab down " + name
		if first := cmp.Or(providers.HintOf(left), providers.HintOf(cause)); first != "" {
			hint = first + "; then: " + hint
		}
		return providers.WithHint(fmt.Errorf("%w\nand what is left of it could not be removed: %w", cause, left), "%s", hint)
	}
	return cause
}
