package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Plan is what [Lab.Up] would do, and what it has done.
type Plan struct {
	Meta
	Action string         `json:"action"` // "create", "recreate", "start" or "none"
	Name   string         `json:"name"`
	Flavor string         `json:"flavor"`
	Spec   providers.Spec `json:"spec"`
	Addons []string       `json:"addons,omitempty"` // what is to be in it, in the order of need
	Pulls  string         `json:"pulls,omitempty"`  // the node image that would be pulled; only of a dry run

	Settings []profiles.Setting `json:"settings,omitempty"` // what was asked, and where

	requests addons.Requests // of Addons
}

// The actions of a Plan.
const (
	ActionCreate   = "create"
	ActionRecreate = "recreate" // the cluster, or the rest of it, is deleted first
	ActionStart    = "start"
	ActionNone     = "none"
)

// Plan says what Up would do, and touches nothing. Its errors are those of Up that
// can be known beforehand.
func (l *Lab) Plan(ctx context.Context, q UpRequest) (Plan, error) {
	if err := q.Spec.WithDefaults().Validate(); err != nil {
		return Plan{}, err
	}
	h, err := l.load(q.Spec.Name)
	if err != nil {
		return Plan{}, err
	}
	return l.plan(ctx, h, q)
}

func (l *Lab) plan(ctx context.Context, h *handle, q UpRequest) (Plan, error) {
	if err := validateTTL(q.TTL); err != nil {
		return Plan{}, err
	}
	plan, err := l.planCluster(ctx, h, q)
	if err == nil && (plan.Action == ActionCreate || plan.Action == ActionRecreate) {
		plan.Spec, err = l.Set.Resolve(ctx, plan.Flavor, plan.Spec)
	}
	if err != nil {
		return Plan{}, err
	}
	if plan.Action == ActionCreate || plan.Action == ActionRecreate {
		if err := l.checkCreation(ctx, h, &plan, q); err != nil {
			return Plan{}, err
		}
	}
	return l.withAddons(ctx, h, plan, q)
}

// DryRun is Plan for display. It also finds errors that Up would meet later, and never uses the
// network.
func (l *Lab) DryRun(ctx context.Context, q UpRequest) (Plan, error) {
	q.Spec.Offline, q.Addons.Offline = true, true
	return l.Plan(ctx, q)
}

// checkCreation returns the errors of a creation that can be known before it.
func (l *Lab) checkCreation(ctx context.Context, h *handle, plan *Plan, q UpRequest) error {
	if !q.NoKubeconfig {
		if err := l.checkEntries(h, *plan); err != nil {
			return err
		}
	}
	if !q.Spec.Offline {
		return nil // the creation itself is next
	}
	err := l.Set.Check(ctx, plan.Flavor, plan.Spec)
	if remote, ok := errors.AsType[*providers.NotLocal](err); ok {
		plan.Pulls, err = remote.Image, nil
	}
	if err != nil || plan.Action == ActionRecreate { // which frees the ports of the old cluster
		return err
	}
	return l.Set.CheckPorts(ctx, plan.Spec)
}

// Validate returns the errors of a request that do not depend on this machine: unknown addons
// and flavors, missing files, broken charts, and settings that the flavor does not support.
func (l *Lab) Validate(ctx context.Context, q UpRequest) error {
	if err := validateTTL(q.TTL); err != nil {
		return err
	}
	flavor := cmp.Or(q.Flavor, l.Flavor)
	var errs []error
	if flavor != "" && flavor != FlavorAuto {
		errs = append(errs, l.Set.Validate(flavor, q.Spec))
	} else {
		flavor = l.Set.Names()[0] // whose traits are as good as any
	}
	requests, err := l.planAddons(&handle{lab: l}, q.Addons)
	if err == nil && errors.Join(errs...) == nil {
		err = l.readCharts(ctx, Plan{Flavor: flavor, Spec: q.Spec}, requests)
	}
	return errors.Join(append(errs, err)...)
}

func (l *Lab) planCluster(ctx context.Context, h *handle, q UpRequest) (Plan, error) {
	asked := q.Spec.ControlPlanes // before it is 1 for everybody
	q.Spec = q.Spec.WithDefaults()
	if err := q.Spec.Validate(); err != nil {
		return Plan{}, err
	}
	plan := Plan{Meta: Meta{APIVersion, "Plan"}, Action: ActionCreate, Name: q.Spec.Name, Spec: q.Spec}
	if !h.recorded() {
		var err error
		plan.Flavor, err = l.choose(ctx, q)
		return plan, err
	}
	r := h.record
	plan.Flavor = r.Flavor
	c, err := h.cluster(ctx)
	switch {
	case errors.Is(err, fault.ErrNotFound):
		return l.recreate(ctx, plan, q, r, asked)
	case err != nil:
		return Plan{}, err
	case q.Recreate, r.Phase != state.PhaseCreated, l.over(r):
		return l.recreate(ctx, plan, q, r, asked)
	}

	r.Spec.KubernetesVersion = cmp.Or(r.Spec.KubernetesVersion, release(c))
	q.Spec.ControlPlanes = asked
	if q.Spec, err = l.Set.Localize(r.Flavor, q.Spec); err != nil {
		return Plan{}, err
	}
	if all := differences(r, q); len(all) > 0 {
		return Plan{}, differs(r, all)
	}
	plan.Spec, plan.Action = r.Spec, ActionNone
	gone := providers.Gone(r.Parts, c.Parts)
	if len(gone) > 0 && !repairable(gone) {
		return Plan{}, goneError(r, gone)
	}
	if c.State != providers.StateRunning || len(gone) > 0 {
		plan.Action = ActionStart
	}
	return plan, nil
}

// recreate plans to create a recorded cluster again, from its record and what the request
// changes. asked is the number of control planes in the request.
func (l *Lab) recreate(ctx context.Context, plan Plan, q UpRequest, r state.Record, asked int) (Plan, error) {
	plan.Action = ActionRecreate
	flavor := q.Flavor
	if flavor == "" || flavor == FlavorAuto {
		flavor = r.Flavor
	}
	q.Spec.ControlPlanes = asked
	plan.Spec = inherit(r.Spec, q, flavor == r.Flavor).WithDefaults()
	if flavor == r.Flavor {
		return plan, usable(l.Set.Check(ctx, flavor, plan.Spec)) // before anything is deleted
	}
	var err error
	plan.Flavor, err = l.choose(ctx, q)
	return plan, err
}

// inherit returns the request of q, completed from has with the settings that are not in
// q.Given. Settings of one tool are inherited only within its flavor.
func inherit(has providers.Spec, q UpRequest, sameFlavor bool) providers.Spec {
	asked := q.Spec
	open := func(path string) bool { return q.Given[path] == "" }
	if sameFlavor {
		if open("cluster.image") && asked.KubernetesVersion == "" { // an image overrides the version
			asked.NodeImage = cmp.Or(asked.NodeImage, has.NodeImage)
		}
		if open("cluster.driver") {
			asked.Driver = cmp.Or(asked.Driver, has.Driver)
		}
		if len(asked.Native) == 0 && open("cluster.config") {
			asked.Native = has.Native
		}
	}
	if asked.NodeImage == "" && open("cluster.kubernetesVersion") {
		asked.KubernetesVersion = cmp.Or(asked.KubernetesVersion, has.KubernetesVersion)
	}
	if open("cluster.controlPlanes") {
		asked.ControlPlanes = cmp.Or(asked.ControlPlanes, has.ControlPlanes)
	}
	if open("cluster.workers") {
		asked.Workers = cmp.Or(asked.Workers, has.Workers)
	}
	asked.CAFile = cmp.Or(asked.CAFile, has.CAFile)
	if len(asked.Ports) == 0 && open("cluster.ports") {
		asked.Ports = has.Ports
	}
	if len(asked.Mounts) == 0 && open("cluster.mounts") {
		asked.Mounts = has.Mounts
	}
	if open("cluster.unsyncedEtcd") {
		asked.Wants.UnsyncedEtcd = asked.Wants.UnsyncedEtcd || has.Wants.UnsyncedEtcd
	}
	return asked
}

// usable drops the error of a check for an image that would be pulled.
func usable(err error) error {
	if _, ok := errors.AsType[*providers.NotLocal](err); ok {
		return nil
	}
	return err
}

// choose returns the flavor for a new cluster.
func (l *Lab) choose(ctx context.Context, q UpRequest) (string, error) {
	flavor := q.Flavor
	if flavor == "" || flavor == FlavorAuto {
		flavor = l.Flavor
	}
	if flavor == "" || flavor == FlavorAuto {
		p, err := l.Set.FirstUsable(ctx, q.Spec)
		if err != nil {
			return "", err
		}
		flavor = p.Name()
	} else if _, err := l.Set.Get(flavor); err != nil {
		return "", err
	} else if err := usable(l.Set.Check(ctx, flavor, q.Spec)); err != nil {
		return "", fmt.Errorf("%s cannot be used: %w", flavor, err)
	}
	// Without an answer there is no creation: the name may belong to another cluster, which
	// a person is to be told before anything is done.
	c, ok, err := l.foreign(ctx, q.Spec.Name, flavor)
	if ok {
		return "", l.foreignError(c)
	}
	return flavor, err
}
