package clusters

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/snapshots"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Plan is what [Clusters.Up] does.
type Plan struct {
	output.Meta
	Action     string         `json:"action"` // "create", "recreate", "start" or "none"
	Name       string         `json:"name"`
	Flavor     string         `json:"flavor"`
	Spec       providers.Spec `json:"spec"`
	Addons     []string       `json:"addons,omitempty"`     // that the cluster has afterwards, dependencies first
	Removes    []string       `json:"removes,omitempty"`    // addons to remove, dependents first
	Unfinished []string       `json:"unfinished,omitempty"` // addons that are not requested and whose installation did not finish: they stay as they are
	Pulls      string         `json:"pulls,omitempty"`      // the node image that would be pulled; only of a dry run
	Missing    []string       `json:"missing,omitempty"`    // images of addons that no bundle on this machine has; only of an offline dry run
	From       string         `json:"from,omitempty"`       // the snapshot that the cluster is created from
	Skipped    []Skipped      `json:"skipped,omitempty"`    // flavors that an offline request does not choose

	Settings []profiles.Setting `json:"settings,omitempty"` // the requested settings and their origins

	addons clusteraddons.Plan
	from   *snapshots.Manifest // of From
	chosen bool                // Flavor was chosen by what this machine has
}

// The actions of a Plan.
const (
	ActionCreate   = "create"
	ActionRecreate = "recreate" // delete the cluster or its leftovers, then create it
	ActionStart    = "start"
	ActionNone     = "none"
)

// Plan returns what Up would do, and changes nothing. Its errors are the errors of Up that can be
// known before it.
func (c *Clusters) Plan(ctx context.Context, q UpRequest) (Plan, error) {
	if err := q.Spec.WithDefaults().Validate(); err != nil {
		return Plan{}, err
	}
	h, err := c.Inventory.OpenOrNew(q.Spec.Name)
	if err != nil {
		return Plan{}, err
	}
	return c.plan(ctx, h, q)
}

// DryRun is Plan for display. It also finds errors that Up would meet later. It uses the network only to
// choose a flavor as Up does: it asks the registries of node images whether they answer. If q takes everything from this
// machine, DryRun returns ErrUnavailable for charts and images of nodes that are missing, as Up does.
func (c *Clusters) DryRun(ctx context.Context, q UpRequest) (Plan, error) {
	offline := c.offline(q)
	q.local = offline
	q.Spec.Offline, q.Addons.Offline = true, true
	plan, err := c.Plan(ctx, q)
	if err != nil || !offline {
		return plan, err
	}
	return c.checkOffline(ctx, plan)
}

// Validate returns the errors of a request that do not depend on this machine: unknown addons and
// flavors, missing files, broken charts, and settings that the flavor does not support.
func (c *Clusters) Validate(ctx context.Context, q UpRequest) error {
	if err := validateTTL(q.TTL); err != nil {
		return err
	}
	var invalid error
	if flavor := cmp.Or(q.Flavor, c.Flavor); flavor != "" && flavor != FlavorAuto {
		invalid = c.Inventory.Set.Validate(flavor, q.Spec)
	}
	traits, _ := c.traits(q) // an unknown flavor is invalid
	target := clusteraddons.Target{Traits: traits, Kubernetes: func() string { return providers.ExactVersion(q.Spec.WithDefaults()) }}
	return errors.Join(invalid, c.Addons.Validate(ctx, q.Addons, target, invalid == nil))
}

// traits returns the traits of a cluster of the requested flavor, or of the first if any will do.
func (c *Clusters) traits(q UpRequest) (providers.Traits, error) {
	flavor := cmp.Or(q.Flavor, c.Flavor)
	if flavor == "" || flavor == FlavorAuto {
		flavor = c.Inventory.Set.Names()[0]
	}
	p, err := c.Inventory.Set.Get(flavor)
	if err != nil {
		return providers.Traits{}, err
	}
	return p.Traits(q.Spec), nil
}

// AddonImages returns the images that the addons of a request pull on a cluster of its flavor. It downloads charts that
// are not cached.
func (c *Clusters) AddonImages(ctx context.Context, q UpRequest) ([]addons.Image, error) {
	traits, err := c.traits(q)
	if err != nil {
		return nil, err
	}
	return c.Addons.Images(ctx, q.Addons, traits)
}

func (c *Clusters) plan(ctx context.Context, h *inventory.Handle, q UpRequest) (Plan, error) {
	if err := validateTTL(q.TTL); err != nil {
		return Plan{}, err
	}
	if q.Flavor != "" && q.Flavor != FlavorAuto { // a misspelled flavor is not a difference of the cluster
		if _, err := c.Inventory.Set.Get(q.Flavor); err != nil {
			return Plan{}, err
		}
	}
	p := planner{c, h, q}
	plan, err := p.cluster(ctx)
	if err != nil {
		return Plan{}, err
	}
	if plan.creates() {
		plan.Spec = disposable(plan.Spec, q)
		if plan.Spec, err = c.Inventory.Set.Resolve(ctx, plan.Flavor, plan.Spec); err != nil {
			return Plan{}, err
		}
		if err := p.checkCreation(ctx, &plan); err != nil {
			return Plan{}, err
		}
	}
	return plan, p.addons(ctx, &plan)
}

// disposable returns spec with an etcd that does not wait for the disk, if the cluster is
// temporary and the request does not say otherwise: a crash of the machine may then lose data.
func disposable(spec providers.Spec, q UpRequest) providers.Spec {
	if (q.run || q.TTL > 0) && q.Given["cluster.unsyncedEtcd"] == "" {
		spec.Wants.UnsyncedEtcd = true
	}
	return spec
}

func (p Plan) creates() bool { return p.Action == ActionCreate || p.Action == ActionRecreate }

// planner makes the plan for one request.
type planner struct {
	*Clusters
	h *inventory.Handle
	q UpRequest
}

// cluster plans what becomes of the cluster, without its addons.
func (p planner) cluster(ctx context.Context) (Plan, error) {
	spec := p.q.Spec.WithDefaults()
	if err := spec.Validate(); err != nil {
		return Plan{}, err
	}
	plan := Plan{Meta: output.NewMeta("Plan"), Action: ActionCreate, Name: spec.Name, Spec: spec}
	if !p.h.Recorded() && p.q.From != "" {
		return p.restore(ctx, plan, p.q.From)
	}
	if !p.h.Recorded() {
		return p.choose(ctx, plan, spec)
	}
	r := p.h.Record
	plan.Flavor = r.Flavor
	live, err := p.h.Cluster(ctx)
	switch {
	case errors.Is(err, fault.ErrNotFound):
		return p.recreate(ctx, plan)
	case err != nil:
		return Plan{}, err
	case p.q.Recreate, live.Bare, r.Phase != state.PhaseCreated, p.Inventory.Over(r):
		return p.recreate(ctx, plan)
	}
	return p.existing(plan, live)
}

// existing plans what becomes of a cluster that exists. It returns ErrExists if the cluster cannot be
// changed to match the request.
func (p planner) existing(plan Plan, live providers.Cluster) (Plan, error) {
	r, q := p.h.Record, p.q
	r.Spec.KubernetesVersion = cmp.Or(r.Spec.KubernetesVersion, release(live))
	var err error
	if q.Spec, err = p.Inventory.Set.Localize(r.Flavor, q.Spec); err != nil {
		return Plan{}, err
	}
	if all := differences(r, q); len(all) > 0 {
		return Plan{}, differs(r, all)
	}
	plan.Spec, plan.Action = r.Spec, ActionNone
	gone := providers.Gone(r.Parts, live.Parts)
	if len(gone) > 0 && !inventory.Repairable(gone) {
		return Plan{}, inventory.GoneError(r, gone)
	}
	if live.State != providers.StateRunning || len(gone) > 0 {
		plan.Action = ActionStart
	}
	return plan, nil
}

// recreate plans to create a recorded cluster again, from its record and what the request changes.
func (p planner) recreate(ctx context.Context, plan Plan) (Plan, error) {
	plan.Action = ActionRecreate
	r, flavor := p.h.Record, p.q.Flavor
	from := p.q.From
	if from == "" && r.Phase == state.PhaseCreating { // an interrupted restore is repeated
		from = r.From
	}
	if from != "" {
		return p.restore(ctx, plan, from)
	}
	if flavor == "" || flavor == FlavorAuto {
		flavor = r.Flavor
	}
	plan.Spec = inherit(r.Spec, p.q, flavor == r.Flavor).WithDefaults()
	if flavor == r.Flavor { // checked before anything is deleted
		return plan, exceptPull(p.Inventory.Set.Check(ctx, flavor, plan.Spec))
	}
	return p.choose(ctx, plan, p.q.Spec)
}

// inherit returns the spec of q, completed from has with the settings that are not in q.Given.
// Settings of one tool are inherited only within its flavor.
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

// addons adds to a plan the addons and what they need of the cluster.
func (p planner) addons(ctx context.Context, plan *Plan) error {
	has, q := p.h.Record, p.q.Addons
	if plan.from != nil {
		has.Addons = restoredAddons(plan.from.Addons, has.Addons)
		q.Described = false // the record must name unfinished addons of the snapshot
	}
	var err error
	if plan.addons, err = p.Addons.Plan(has, q); err != nil {
		return err
	}
	requests := plan.addons.Requests
	plan.Removes = plan.addons.Removals(p.q.Prune)
	if !p.q.Prune && !plan.creates() {
		plan.Unfinished = plan.addons.Unfinished
	}
	if len(requests) == 0 {
		return nil
	}
	flavor, err := p.Inventory.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	if plan.creates() && plan.from == nil {
		if plan.Spec, err = clusteraddons.SpecFor(ctx, flavor, plan.Spec, requests); err != nil {
			return err
		}
	}
	// The creation checks cached charts meanwhile. A dry run creates nothing, and a recreation begins with a deletion.
	cached := p.q.Spec.Offline || plan.Action == ActionRecreate
	if err := p.Addons.ReadCharts(ctx, plan.missing().Requests, p.target(ctx, *plan, flavor), cached); err != nil {
		return err
	}
	plan.Addons = slices.DeleteFunc(requests.Names(), func(name string) bool { return slices.Contains(plan.Removes, name) })
	if plan.from != nil {
		return clusteraddons.Lacks(state.Record{Name: plan.Name, Spec: plan.Spec, Traits: flavor.Traits(plan.Spec)}, requests)
	}
	if !plan.creates() {
		return clusteraddons.Lacks(p.h.Record, requests)
	}
	return nil
}

// target returns what is known of the cluster of a plan. The version of an existing cluster does not matter: its addons
// are checked by their installation.
func (c *Clusters) target(ctx context.Context, plan Plan, flavor providers.Provider) clusteraddons.Target {
	return clusteraddons.Target{Traits: flavor.Traits(plan.Spec), Kubernetes: func() string {
		if !plan.creates() {
			return ""
		}
		return providers.NewVersion(ctx, flavor, plan.Spec)
	}}
}
