package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// AddonTools are those who do the work on addons.
type AddonTools struct {
	Source    func(offline bool, ca []byte) addons.Source // ca is as in AddonRequest
	Installer addons.Installer
	Checker   addons.Checker
	Set       func(values map[string]addons.Values, sets addons.Sets, read func(path string) ([]byte, error)) (map[string]addons.Values, error)
	Values    map[string]addons.Values // by addon, from the user's configuration; below those of a request
}

// AddonRequest is what a person asks of the addons of a cluster.
type AddonRequest struct {
	Names   []string
	Values  map[string]addons.Values // by addon, above those given before
	Flagged []string                 // addons whose values come from flags
	Written []string                 // addons that a file names; it has all of their values
	Reset   bool                     // discard the values that were given before
	Defined []addons.Addon           // that only this request knows
	Upgrade bool                     // those that are there to the versions of the catalogue
	Offline bool                     // take charts from the cache and the disk only
	CA      []byte                   // certificates (PEM) that are trusted for sources of charts, in addition to the system's
}

// Catalog returns the addons that there are: those that lab brings along, and the user's
// own. It returns ErrInvalid where one of these cannot be understood.
func (l *Lab) Catalog() (addons.Catalog, error) {
	c, err := addons.Builtin()
	if err != nil {
		return c, err
	}
	return c.ReadDir(filepath.Join(l.ConfigDir, "addons"))
}

// Addon returns the definition of an addon: one of defined, of the catalogue, or one that a
// lab.yaml defined for the cluster name, which need not exist. It returns ErrNotFound where
// none of them knows it.
func (l *Lab) Addon(name, addon string, defined []addons.Addon) (addons.Addon, error) {
	catalog, err := l.Catalog()
	if err != nil {
		return addons.Addon{}, err
	}
	r, err := l.State.Get(name)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return addons.Addon{}, err
	}
	return withOwn(catalog, r).With(defined...).Get(addon)
}

// withOwn returns the catalogue with those addons of a cluster that it does not define.
func withOwn(catalog addons.Catalog, r state.Record) addons.Catalog {
	for _, request := range r.Addons {
		if _, err := catalog.Get(request.Addon.Name); err != nil || request.Own {
			catalog = catalog.With(request.Addon)
		}
	}
	return catalog
}

// InstallAddons brings the addons to what is asked, with all that they need, and returns
// once they work. It goes on with what an interrupted call left. Errors: those of
// [addons.Catalog.Plan], [addons.Source], [addons.Installer] and [addons.Checker];
// ErrExists where the cluster lacks what an addon asks of it.
func (l *Lab) InstallAddons(ctx context.Context, name string, q AddonRequest, report event.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(h *handle) error {
		plan, err := l.planAddons(h, q)
		if err != nil {
			return err
		}
		return l.ensure(ctx, h, plan, q, report.For(name))
	})
}

// ensure installs the addons of a plan that was made for q. The caller holds the lock.
func (l *Lab) ensure(ctx context.Context, h *handle, plan addons.Requests, q AddonRequest, report event.Reporter) error {
	if len(plan) == 0 {
		return nil
	}
	r := &h.record
	if err := lacks(*r, plan); err != nil {
		return err
	}
	seen := newOutcomes()
	for _, request := range plan {
		r.Addons = r.Addons.With(request)
		seen.states[request.Addon.Name] = state.AddonState{State: addons.StatePending}
	}
	r.AddonStates = seen.over(r.AddonStates)
	target, err := h.target(ctx)
	if err != nil {
		return err
	}
	// Before anything is done, so that status and the next up know what was asked.
	if err := h.put(); err != nil {
		return err
	}
	err = l.whileAlive(ctx, *r, func(ctx context.Context) error {
		return l.install(ctx, r.Name, target, plan, q, report, seen)
	})
	err = l.lost(ctx, r.Name, target, err)
	r.AddonStates = seen.over(r.AddonStates)
	for _, request := range plan {
		if seen.states[request.Addon.Name].State == addons.StateReady {
			request.Unfinished = false
			r.Addons = r.Addons.With(request)
		}
	}
	return errors.Join(err, h.put())
}

// outcomes are the states of addons as an installation leaves them, by name.
type outcomes struct {
	mu     sync.Mutex
	states map[string]state.AddonState
}

func newOutcomes() *outcomes { return &outcomes{states: map[string]state.AddonState{}} }

// note takes down how one addon ended, and returns err. One that was interrupted stays pending.
func (o *outcomes) note(addon string, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err == nil:
		o.states[addon] = state.AddonState{State: addons.StateReady}
	case errors.Is(err, context.DeadlineExceeded):
		o.states[addon] = state.AddonState{State: addons.StateInstalling, Reason: firstLine(err)}
	case !errors.Is(err, context.Canceled):
		o.states[addon] = state.AddonState{State: addons.StateFailed, Reason: firstLine(err)}
	}
	return err
}

// over returns the outcomes in place of what was known before.
func (o *outcomes) over(before map[string]state.AddonState) map[string]state.AddonState {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]state.AddonState{}
	}
	maps.Copy(all, o.states)
	return all
}

// goOn adds to an error of an addon, behind a hint of its own, how to go on with the
// addon, and how to do without: what was asked for, values included, is remembered.
func goOn(err error, cluster, addon string) error {
	if err == nil {
		return nil
	}
	mend := fault.HintOf(err)
	if mend == "" {
		mend = "the cluster stays; mend that"
	}
	return fault.WithHint(fmt.Errorf("install %s: %w", addon, err),
		"%s, then: lab up %s; or give the addon up, with its values: lab addon remove %s --name %s", mend, cluster, addon, cluster)
}

// planAddons returns the requests to fulfil, dependencies first. An addon that was
// requested before keeps its definition, unless it is upgraded or its installation never
// finished: the definition may have been the cause.
func (l *Lab) planAddons(h *handle, q AddonRequest) (addons.Requests, error) {
	r := h.record
	catalog, err := h.addonCatalog()
	if err != nil {
		return nil, err
	}
	known := r
	known.Addons = slices.DeleteFunc(slices.Clone(r.Addons), func(request addons.Request) bool {
		return request.Own && slices.Contains(q.Written, request.Addon.Name) // the file redefines it, or returns it to the catalogue
	})
	if q.Upgrade {
		catalog = withOwn(catalog, known)
	} else {
		for _, request := range known.Addons {
			if _, err := catalog.Get(request.Addon.Name); err != nil || request.Own || !request.Unfinished {
				catalog = catalog.With(request.Addon)
			}
		}
	}
	plan, err := catalog.With(q.Defined...).Plan(q.Names, r.Addons.Names())
	if err != nil {
		return nil, err
	}
	for _, name := range q.Names {
		if _, there := r.Addons.Get(name); q.Upgrade && !there {
			return nil, fault.WithHint(l.noAddon(r.Name, name), "install it: lab addon install %s --name %s", name, r.Name)
		}
	}
	var requests addons.Requests
	for _, a := range plan {
		request, _ := r.Addons.Get(a.Name)
		written := slices.Contains(q.Written, a.Name)
		if written || q.Reset && slices.Contains(q.Names, a.Name) {
			request.Values = nil
		}
		request.Unfinished = request.Unfinished || !reflect.DeepEqual(request.Addon, a)
		request.Addon, request.Values = a, addons.Merge(request.Values, q.Values[a.Name])
		if defined := slices.ContainsFunc(q.Defined, func(d addons.Addon) bool { return d.Name == a.Name }); defined || written {
			request.Own = defined
		}
		requests = append(requests, request)
	}
	for name := range q.Values {
		_, requested := requests.Get(name)
		if !requested && (slices.Contains(q.Flagged, name) || !slices.Contains(q.Written, name)) {
			err := fault.Errorf(fault.ErrInvalid, "values for addon %q, which is not requested", name)
			return nil, fault.WithHint(err, "omit its values, or request it: lab up --addon %s, or lab addon install %s", name, name)
		}
	}
	return requests, nil
}

// install fetches the charts, defines what is custom in them, and puts them into the
// cluster, as far as they need not wait for each other side by side. Nothing is changed
// before all charts are at hand. Definitions come first, so that any chart may use those
// of any other.
func (l *Lab) install(
	ctx context.Context, cluster string, target addons.Cluster, plan addons.Requests, q AddonRequest, report event.Reporter, seen *outcomes,
) error {
	releases := map[string]addons.Release{}
	err := report.Do("Fetching charts", func(*event.Step) (err error) {
		releases, err = l.releases(ctx, target, plan, q, func(err error, addon string) error { return goOn(seen.note(addon, err), cluster, addon) })
		return err
	})
	if err != nil {
		return err
	}
	var order []addons.Addon
	for _, request := range plan {
		order = append(order, request.Addon)
	}
	err = report.Do("Defining custom resources", func(*event.Step) error {
		return sideBySide(order, func(a addons.Addon) error {
			kept, err := l.Addons.Installer.Define(ctx, target, releases[a.Name])
			for _, k := range kept {
				report.Warn("%s is left unchanged, and %s may not work with it: %s", k.Object, a.Name, k.Reason)
			}
			if err != nil {
				_ = seen.note(a.Name, err)
			}
			return goOn(err, cluster, a.Name)
		})
	})
	if err != nil {
		return err
	}
	return addons.Run(ctx, order, func(ctx context.Context, a addons.Addon) error {
		return report.Do("Installing "+a.Name, func(step *event.Step) error {
			return goOn(seen.note(a.Name, l.installOne(ctx, target, releases[a.Name], step)), cluster, a.Name)
		})
	})
}

func (l *Lab) installOne(ctx context.Context, target addons.Cluster, r addons.Release, step *event.Step) error {
	in, err := l.Addons.Installer.Install(ctx, target, r, step.Progress)
	if err == nil {
		err = l.Addons.Checker.Wait(ctx, target, r.Addon, in, step.Progress)
	}
	return err
}

// releases fetches the charts of a plan, side by side. failed says what an error of one
// means.
func (l *Lab) releases(
	ctx context.Context, target addons.Cluster, plan addons.Requests, q AddonRequest, failed func(err error, addon string) error,
) (map[string]addons.Release, error) {
	source := l.Addons.Source(q.Offline, q.CA)
	var mu sync.Mutex
	releases := map[string]addons.Release{}
	err := sideBySide(plan, func(request addons.Request) error {
		chart, err := source.Chart(ctx, request.Addon.Chart)
		if err != nil {
			return failed(err, request.Addon.Name)
		}
		own := addons.Merge(l.Addons.Values[request.Addon.Name], request.Values)
		mu.Lock()
		defer mu.Unlock()
		releases[request.Addon.Name] = addons.Release{
			Addon: request.Addon, Chart: chart, Values: request.Addon.ValuesFor(target.Traits, own),
		}
		return nil
	})
	return releases, err
}

// lost returns ErrUnavailable for an error of work in a cluster whose API server does not
// answer any more: what the tools then say of single requests names neither the cause nor
// a cure. Any other error it returns as it is.
func (l *Lab) lost(ctx context.Context, name string, target addons.Cluster, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, gone := l.Probe.Look(ctx, target.Kubeconfig, probe.Want{}); gone == nil || ctx.Err() != nil {
		return err
	}
	err = fault.Errorf(fault.ErrUnavailable, "the API server of cluster %q stopped answering: %w", name, err)
	return fault.WithHint(err, "start the cluster, then do it again: lab start %s", name)
}

// sideBySide calls do for each of list, all at once, and joins the errors.
func sideBySide[T any](list []T, do func(T) error) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { errs[i] = do(list[i]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
