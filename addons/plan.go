package addons

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Plan returns the requested addons and, before each, those that it needs. present are addons that
// the cluster has: they are in the plan only if requested, and are checked for conflicts. Plan
// returns ErrNotFound for an addon that is not in the catalog, and ErrInvalid if two addons conflict
// or need each other.
func (c Catalog) Plan(asked, present []string) ([]Addon, error) {
	p := planner{catalog: c, present: present}
	for _, name := range asked {
		if err := p.add(name, nil); err != nil {
			return nil, err
		}
	}
	return p.plan, p.conflict()
}

type planner struct {
	catalog Catalog
	present []string
	plan    []Addon
}

// add adds an addon after all that it needs. path are the addons that need it.
func (p *planner) add(name string, path []string) error {
	if slices.ContainsFunc(p.plan, func(a Addon) bool { return a.Name == name }) {
		return nil
	}
	path = append(path, name)
	if slices.Index(path, name) < len(path)-1 {
		return fault.Errorf(fault.ErrInvalid, "addons need each other: %s", strings.Join(path, " -> "))
	}
	a, err := p.catalog.Get(name)
	if err != nil && len(path) > 1 {
		return fault.WithHint(fmt.Errorf("%s needs %q: %w", path[len(path)-2], name, err), "%s", fault.HintOf(err))
	}
	if err != nil {
		return err
	}
	for _, need := range a.Needs {
		if slices.Contains(p.present, need) {
			continue
		}
		if err := p.add(need, slices.Clone(path)); err != nil {
			return err
		}
	}
	p.plan = append(p.plan, a)
	return nil
}

// conflict returns an error if two addons of the plan conflict, or one of the plan with a present
// one. It is enough that one of the two names the other.
func (p *planner) conflict() error {
	all := slices.Clone(p.plan)
	for _, name := range p.present {
		if a, err := p.catalog.Get(name); err == nil {
			all = append(all, a)
		}
	}
	for _, a := range p.plan {
		for _, b := range all {
			if slices.Contains(a.Conflicts, b.Name) || slices.Contains(b.Conflicts, a.Name) {
				err := fault.Errorf(fault.ErrInvalid, "%s and %s conflict: they use the same resources", a.Name, b.Name)
				for _, installed := range []string{a.Name, b.Name} {
					if slices.Contains(p.present, installed) {
						return fault.WithHint(err, "choose one of them, or remove the installed one: lab addon remove %s", installed)
					}
				}
				return fault.WithHint(err, "choose one of them")
			}
		}
	}
	return nil
}
