package clusteraddons

import (
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
)

// Missing returns those of names whose features a cluster lacks. It has them if the addon was installed, if the
// cluster bundles what the addon conflicts with, or if another addon of the cluster provides the same. It returns
// ErrNotFound for a name that is not in the catalog.
func (s *Addons) Missing(r state.Record, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	catalog, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	catalog = withOwn(catalog, r)
	var missing []string
	for _, name := range names {
		a, err := catalog.Get(name)
		if err != nil {
			return nil, err
		}
		own, _ := bundled(r.Traits, addons.Requests{{Addon: a}})
		if own == "" && !slices.ContainsFunc(r.Addons, func(q addons.Request) bool { return replaces(q, a) }) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// replaces reports whether an addon of a cluster works, and is a or provides what a provides.
func replaces(q addons.Request, a addons.Addon) bool {
	if q.Unfinished || q.Removing {
		return false
	}
	provided := func(what string) bool { return slices.Contains(q.Addon.Provides, what) }
	return q.Addon.Name == a.Name || slices.ContainsFunc(a.Provides, provided)
}
