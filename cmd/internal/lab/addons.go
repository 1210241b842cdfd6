package lab

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// AddonTools are those who do the work on addons.
type AddonTools struct {
	Source    func(offline bool, caFile string) addons.Source
	Installer addons.Installer
	Checker   addons.Checker
	Values    map[string]addons.Values // by addon, from the user's configuration; below those of a request
}

// AddonRequest is what a person asks of the addons of a cluster.
type AddonRequest struct {
	Names   []string
	Values  map[string]addons.Values // by addon, above those given before
	Defined []addons.Addon           // that only this request knows
	Upgrade bool                     // those that are there to the versions of the catalogue
	Offline bool                     // take charts from the cache and the disk only
	CAFile  string                   // authorities that sources of charts are trusted by
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

// InstallAddons brings the addons to what is asked, with all that they need, and returns
// once they work. It goes on with what an interrupted call left. Errors: those of
// [addons.Catalog.Plan], [addons.Source], [addons.Installer] and [addons.Checker];
// ErrExists where the cluster lacks what an addon asks of it.
func (l *Lab) InstallAddons(ctx context.Context, name string, q AddonRequest, report providers.Reporter) (Cluster, error) {
	return l.change(ctx, name, report, func(r state.Record) error {
		return l.ensure(ctx, r, q, report.For(name))
	})
}

// ensure does what InstallAddons says. The caller holds the lock.
func (l *Lab) ensure(ctx context.Context, r state.Record, q AddonRequest, report providers.Reporter) error {
	plan, err := l.planAddons(r, q)
	if err != nil || len(plan) == 0 {
		return err
	}
	if err := lacks(r, plan); err != nil {
		return err
	}
	for _, request := range plan {
		r.Addons = r.Addons.With(request)
	}
	target, err := l.target(ctx, r)
	if err != nil {
		return err
	}
	// Before anything is done, so that status and the next up know what was asked.
	if err := l.State.Put(r); err != nil {
		return err
	}
	err = l.install(ctx, target, plan, q, report)
	return providers.WithHint(err, "%s", l.goOn(r.Name, err))
}

// goOn is the hint of an error of addons: its own, or how to go on.
func (l *Lab) goOn(name string, err error) string {
	if hint := providers.HintOf(err); hint != "" {
		return hint
	}
	return fmt.Sprintf("the cluster stays; lab up %s goes on where this ended, lab status %s shows what there is", name, name)
}

// planAddons returns the requests to fulfil, what is needed before what needs it. An
// addon that was asked for before stays what it was then, unless it is to be upgraded.
func (l *Lab) planAddons(r state.Record, q AddonRequest) (addons.Requests, error) {
	catalog, err := l.Catalog()
	if err != nil {
		return nil, err
	}
	if !q.Upgrade {
		for _, request := range r.Addons {
			catalog = catalog.With(request.Addon)
		}
	}
	plan, err := catalog.With(q.Defined...).Plan(q.Names, r.Addons.Names())
	if err != nil {
		return nil, err
	}
	var requests addons.Requests
	for _, a := range plan {
		before, _ := r.Addons.Get(a.Name)
		requests = append(requests, addons.Request{Addon: a, Values: addons.Merge(before.Values, q.Values[a.Name])})
	}
	for name := range q.Values {
		if _, ok := requests.Get(name); !ok {
			err := providers.Errorf(providers.ErrInvalid, "there are values for the addon %q, which is not asked for", name)
			return nil, providers.WithHint(err, "ask for it, too: --addon %s", name)
		}
	}
	return requests, nil
}

// install fetches the charts, defines what is custom in them, and puts them into the
// cluster, as far as they need not wait for each other side by side. Nothing is changed
// before all charts are at hand. Definitions come first, so that any chart may use those
// of any other.
func (l *Lab) install(ctx context.Context, target addons.Cluster, plan addons.Requests, q AddonRequest, report providers.Reporter) error {
	releases := map[string]addons.Release{}
	err := report.Do("Fetching charts", func(*providers.Step) (err error) {
		releases, err = l.releases(ctx, target, plan, q)
		return err
	})
	if err != nil {
		return err
	}
	var order []addons.Addon
	for _, request := range plan {
		order = append(order, request.Addon)
	}
	err = report.Do("Defining custom resources", func(*providers.Step) error {
		return sideBySide(order, func(a addons.Addon) error { return l.Addons.Installer.Define(ctx, target, releases[a.Name]) })
	})
	if err != nil {
		return err
	}
	return addons.Run(ctx, order, func(ctx context.Context, a addons.Addon) error {
		return report.Do("Installing "+a.Name, func(step *providers.Step) error {
			return l.installOne(ctx, target, releases[a.Name], step)
		})
	})
}

func (l *Lab) installOne(ctx context.Context, target addons.Cluster, r addons.Release, step *providers.Step) error {
	in, err := l.Addons.Installer.Install(ctx, target, r, step.Progress)
	if err == nil {
		err = l.Addons.Checker.Wait(ctx, target, r.Addon, in, step.Progress)
	}
	if err != nil {
		return fmt.Errorf("install %s: %w", r.Addon.Name, err)
	}
	return nil
}

// releases fetches the charts of a plan, side by side.
func (l *Lab) releases(ctx context.Context, target addons.Cluster, plan addons.Requests, q AddonRequest) (map[string]addons.Release, error) {
	source := l.Addons.Source(q.Offline, q.CAFile)
	var mu sync.Mutex
	releases := map[string]addons.Release{}
	err := sideBySide(plan, func(request addons.Request) error {
		chart, err := source.Chart(ctx, request.Addon.Chart)
		if err != nil {
			return err
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

// target is the cluster as those who work on addons know it.
func (l *Lab) target(ctx context.Context, r state.Record) (addons.Cluster, error) {
	config, err := l.Set.Kubeconfig(ctx, refOf(r))
	return addons.Cluster{Kubeconfig: config, Traits: r.Traits, Ports: r.Spec.Ports}, err
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
