package clusteraddons

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Install installs or updates the requested addons and everything that they need, and returns the
// cluster once they work. It resumes an interrupted installation. Errors: those of
// [addons.Catalog.Plan], [addons.Source], [addons.Installer] and [addons.Checker]; ErrExists if the
// cluster lacks what an addon needs.
func (s *Addons) Install(ctx context.Context, name string, q Request, report event.Reporter) (output.Cluster, error) {
	h, unlock, err := s.openUsable(ctx, name, report)
	if err != nil {
		return output.Cluster{}, err
	}
	defer unlock()
	plan, err := s.planInstall(h.Record, q)
	if err != nil {
		return output.Cluster{}, err
	}
	if err := s.install(ctx, h, plan, q, report.For(name)); err != nil {
		return output.Cluster{}, err
	}
	return s.Status(ctx, h, false)
}

// planInstall returns the requests of q and of what they need.
func (s *Addons) planInstall(r state.Record, q Request) (addons.Requests, error) {
	catalog, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	plan, err := requests(catalog, r, q)
	if err != nil {
		return nil, err
	}
	return plan, Lacks(r, plan)
}

// openUsable locks a cluster that can be used. The caller calls unlock.
func (s *Addons) openUsable(ctx context.Context, name string, report event.Reporter) (h *inventory.Handle, unlock func(), err error) {
	h, unlock, err = s.Inventory.OpenLocked(ctx, name, report)
	if err != nil {
		return nil, nil, err
	}
	if err := s.Inventory.Usable(h.Record, false); err != nil {
		unlock()
		return nil, nil, err
	}
	return h, unlock, nil
}

// Changed is what an installation would change of one addon.
type Changed struct {
	Addon   string          `json:"addon"`
	Version string          `json:"version,omitempty"` // of the chart after the installation, if the catalog has one
	Changes []addons.Change `json:"changes"`
}

// Changes is the result of [Addons.Preview].
type Changes struct {
	output.Meta
	Cluster string    `json:"cluster"`
	Items   []Changed `json:"items"` // an addon without changes has an empty list
}

// Preview returns what Install would change, and changes nothing.
func (s *Addons) Preview(ctx context.Context, name string, q Request) (Changes, error) {
	list := Changes{Meta: output.NewMeta("AddonChanges"), Cluster: name, Items: []Changed{}}
	h, err := s.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return list, err
	}
	plan, err := s.planInstall(h.Record, q)
	if err != nil {
		return list, err
	}
	target, err := h.Target(ctx)
	if err != nil {
		return list, err
	}
	failed := func(err error, addon string) error {
		return &providers.Error{Op: "preview " + addon + " on", Cluster: name, Err: err}
	}
	releases, err := s.releases(ctx, target, plan, q, failed)
	if err != nil {
		return list, err
	}
	for _, request := range plan {
		a := request.Addon
		changes, err := s.Tools.Installer.Preview(ctx, target, releases[a.Name])
		if err != nil {
			return list, failed(err, a.Name)
		}
		list.Items = append(list.Items, Changed{Addon: a.Name, Version: a.Chart.Version, Changes: changes})
	}
	return list, nil
}

// Update makes the addons of a cluster match a plan: it finishes interrupted removals, removes the
// surplus if prune is true, and installs the rest, except unfinished addons that are not requested. The caller holds the lock.
func (s *Addons) Update(ctx context.Context, h *inventory.Handle, plan Plan, prune bool, report event.Reporter) error {
	install := plan.Requests
	for _, name := range plan.Removals(prune) {
		if err := s.remove(ctx, h, name, report); err != nil {
			return err
		}
		install = install.Without(name)
	}
	for _, name := range plan.Unfinished {
		if _, has := h.Record.Addons.Get(name); has {
			report.Warn("addon %[1]s is not requested, and its installation did not finish. To remove it: lab addon remove %[1]s --name %[2]s    To resume it: lab addon install %[1]s --name %[2]s",
				name, h.Record.Name)
		}
	}
	return s.install(ctx, h, install, plan.request, report)
}

// install installs the addons of a plan that was made for q, and records how each ended. The caller
// holds the lock.
func (s *Addons) install(ctx context.Context, h *inventory.Handle, plan addons.Requests, q Request, report event.Reporter) error {
	if len(plan) == 0 {
		return nil
	}
	r := &h.Record
	if err := Lacks(*r, plan); err != nil {
		return err
	}
	target, err := h.Target(ctx)
	if err != nil {
		return err
	}
	seen := &outcomes{states: map[string]state.AddonState{}}
	for _, request := range plan {
		r.Addons = r.Addons.With(request)
		seen.states[request.Addon.Name] = state.AddonState{State: addons.StatePending}
	}
	r.AddonStates = seen.over(r.AddonStates)
	// Recorded before the first change, so that status and the next up know the request.
	if err := h.Put(); err != nil {
		return err
	}
	work := installation{Addons: s, cluster: r.Name, target: target, plan: plan, request: q, report: report, seen: seen}
	err = s.Inventory.WhileAlive(ctx, *r, work.run)
	err = s.Inventory.Lost(ctx, r.Name, target.Kubeconfig, err)
	r.AddonStates = seen.over(r.AddonStates)
	for _, request := range plan {
		if seen.states[request.Addon.Name].State == addons.StateReady {
			request.Unfinished = false
			r.Addons = r.Addons.With(request)
		}
	}
	return errors.Join(err, h.Put())
}

// installation is the installation of the addons of one plan.
type installation struct {
	*Addons
	cluster string
	target  addons.Cluster
	plan    addons.Requests
	request Request
	report  event.Reporter
	seen    *outcomes
}

// run fetches all charts before it changes the cluster. Then it creates the custom resource
// definitions of all charts, because a chart may use those of another, and installs the addons, as
// far as they do not need each other concurrently.
func (w installation) run(ctx context.Context) error {
	var releases map[string]addons.Release
	err := w.report.Do("Fetching charts", func(*event.Step) (err error) {
		releases, err = w.releases(ctx, w.target, w.plan, w.request, func(err error, addon string) error { return w.failed(w.seen.note(addon, err), addon) })
		return err
	})
	if err != nil {
		return err
	}
	var order []addons.Addon
	for _, request := range w.plan {
		order = append(order, request.Addon)
	}
	err = w.report.Do("Defining custom resources", func(*event.Step) error {
		return concurrently(order, func(a addons.Addon) error { return w.define(ctx, releases[a.Name]) })
	})
	if err != nil {
		return err
	}
	return addons.Run(ctx, order, func(ctx context.Context, a addons.Addon) error {
		return w.report.Do("Installing "+a.Name, func(step *event.Step) error {
			return w.failed(w.seen.note(a.Name, w.installOne(ctx, releases[a.Name], step)), a.Name)
		})
	})
}

func (w installation) define(ctx context.Context, r addons.Release) error {
	kept, err := w.Tools.Installer.Define(ctx, w.target, r)
	for _, k := range kept {
		w.report.Warn("%s is left unchanged, and %s may not work with it: %s", k.Object, r.Addon.Name, k.Reason)
	}
	if err != nil {
		_ = w.seen.note(r.Addon.Name, err)
	}
	return w.failed(err, r.Addon.Name)
}

func (w installation) installOne(ctx context.Context, r addons.Release, step *event.Step) error {
	in, err := w.Tools.Installer.Install(ctx, w.target, r, step.Progress)
	if err != nil {
		return err
	}
	return w.Tools.Checker.Wait(ctx, w.target, r.Addon, in, step.Progress)
}

// failed adds to the error of an addon how to resume its installation, and how to remove it: its
// request, values included, is recorded.
func (w installation) failed(err error, addon string) error {
	if err == nil {
		return nil
	}
	fix := fault.HintOf(err)
	if fix == "" {
		fix = "fix the cause"
	}
	resume := "resume: lab up " + w.cluster
	if slices.Contains(w.request.Written, addon) { // lab up without the file would not read the corrected one
		resume = "run this command again"
	}
	return fault.WithHint(fmt.Errorf("install %s: %w", addon, err),
		"%s; then %s; or remove the addon and its values: lab addon remove %s --name %s", fix, resume, addon, w.cluster)
}

// outcomes are the states of addons after an installation, by name.
type outcomes struct {
	mu     sync.Mutex
	states map[string]state.AddonState
}

// note records how one addon ended, and returns err. An interrupted addon stays pending.
func (o *outcomes) note(addon string, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err == nil:
		o.states[addon] = state.AddonState{State: addons.StateReady}
	case errors.Is(err, context.DeadlineExceeded):
		o.states[addon] = state.AddonState{State: addons.StateInstalling, Reason: fault.FirstLine(err)}
	case !errors.Is(err, context.Canceled):
		o.states[addon] = state.AddonState{State: addons.StateFailed, Reason: fault.FirstLine(err)}
	}
	return err
}

// over returns earlier states with the outcomes in place of theirs.
func (o *outcomes) over(before map[string]state.AddonState) map[string]state.AddonState {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]state.AddonState{}
	}
	maps.Copy(all, o.states)
	return all
}
