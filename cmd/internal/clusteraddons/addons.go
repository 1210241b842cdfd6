// Package clusteraddons installs, updates, removes, shows and opens the addons of a cluster.
package clusteraddons

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Addons works on the addons of clusters. It is safe for concurrent use.
type Addons struct {
	Inventory *inventory.Inventory
	ConfigDir string // of the user; its directory addons has the user's own addons
	Tools     Tools
}

// Tools fetch, install and check addons.
type Tools struct {
	Source    func(offline bool, ca []byte) addons.Source // ca is as in Request
	Installer addons.Installer
	Checker   addons.Checker
	Set       func(values map[string]addons.Values, sets addons.Sets, read func(path string) ([]byte, error)) (map[string]addons.Values, error)
	Images    func(addons.Release) ([]addons.Image, error)
	Values    map[string]addons.Values // by addon, from the user's configuration; those of a request override them
}

// Request is what a command requests of the addons of a cluster.
type Request struct {
	Names     []string
	Values    map[string]addons.Values // by addon; they override earlier values
	Flagged   []string                 // addons whose values come from flags
	Written   []string                 // addons that a file names; the file has all of their values
	Described bool                     // a file or a profile says which addons the cluster has
	Reset     bool                     // discard earlier values
	Defined   []addons.Addon           // definitions that only this request has
	Upgrade   bool                     // update installed addons to the versions of the catalog
	Offline   bool                     // take charts from the cache and the disk only
	CA        []byte                   // PEM certificates that are trusted for sources of charts, in addition to those of the system
}

// Catalog returns the builtin addons and the user's own. It returns ErrInvalid if a definition of
// the user is not valid.
func (s *Addons) Catalog() (addons.Catalog, error) {
	c, err := addons.Builtin()
	if err != nil {
		return c, err
	}
	return c.ReadDir(filepath.Join(s.ConfigDir, "addons"))
}

// Definition returns the definition of an addon from defined, from the catalog, or from a lab.yaml
// that defined it for the cluster name, which need not exist. It returns ErrNotFound if none has it.
func (s *Addons) Definition(name, addon string, defined []addons.Addon) (addons.Addon, error) {
	catalog, err := s.Catalog()
	if err != nil {
		return addons.Addon{}, err
	}
	r, err := s.Inventory.State.Get(name)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return addons.Addon{}, err
	}
	return withOwn(catalog, r).With(defined...).Get(addon)
}

// withOwn returns the catalog with the addons of a cluster that it does not define.
func withOwn(catalog addons.Catalog, r state.Record) addons.Catalog {
	for _, request := range r.Addons {
		if _, err := catalog.Get(request.Addon.Name); err != nil || request.Own {
			catalog = catalog.With(request.Addon)
		}
	}
	return catalog
}

// releases fetches the charts of a plan concurrently. failed wraps the error of one addon.
func (s *Addons) releases(
	ctx context.Context, target addons.Cluster, plan addons.Requests, q Request, failed func(err error, addon string) error,
) (map[string]addons.Release, error) {
	source := s.Tools.Source(q.Offline, q.CA)
	var mu sync.Mutex
	releases := map[string]addons.Release{}
	err := concurrently(plan, func(request addons.Request) error {
		chart, err := source.Chart(ctx, request.Addon.Chart)
		if err != nil {
			return failed(err, request.Addon.Name)
		}
		values := addons.Merge(s.Tools.Values[request.Addon.Name], request.Values)
		mu.Lock()
		defer mu.Unlock()
		releases[request.Addon.Name] = addons.Release{
			Addon: request.Addon, Chart: chart, Values: request.Addon.ValuesFor(target.Traits, values),
		}
		return nil
	})
	return releases, err
}

func noAddon(cluster, addon string) error {
	err := fault.Errorf(fault.ErrNotFound, "cluster %q has no addon %q", cluster, addon)
	return fault.WithHint(err, "lab status %s shows its addons", cluster)
}

// concurrently calls do for each of list at the same time, and joins the errors.
func concurrently[T any](list []T, do func(T) error) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { errs[i] = do(list[i]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
