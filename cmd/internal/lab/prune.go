package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// prune removes the addons that q does not ask for, nor anything that it asks for needs.
// The caller holds the lock.
func (l *Lab) prune(ctx context.Context, q UpRequest, report providers.Reporter) error {
	r, err := l.State.Get(q.Spec.Name)
	if err != nil {
		return err
	}
	surplus, err := l.surplus(r, q.Addons)
	for _, name := range surplus {
		if err == nil {
			r, err = l.takeOut(ctx, r, name, report.For(r.Name))
		}
	}
	return err
}

// surplus returns the addons of a cluster that are not asked for, what needs others before
// those: which is the order in which they can go.
func (l *Lab) surplus(r state.Record, q AddonRequest) ([]string, error) {
	plan, err := l.planAddons(state.Record{}, q)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, request := range slices.Backward(r.Addons) {
		if _, asked := plan.Get(request.Addon.Name); !asked {
			names = append(names, request.Addon.Name)
		}
	}
	return names, nil
}

// addonDifferences returns what is asked of the addons of a cluster, and is not so.
func (l *Lab) addonDifferences(r state.Record, q UpRequest) ([]Difference, error) {
	plan, err := l.planAddons(r, q.Addons)
	if err != nil {
		return nil, err
	}
	var all []Difference
	for _, request := range plan {
		name := request.Addon.Name
		before, has := r.Addons.Get(name)
		switch {
		case !has:
			all = append(all, Difference{Path: "addons", Has: "", Asked: name, By: byUp})
		case fmt.Sprint(before.Values) != fmt.Sprint(addons.Merge(before.Values, request.Values)):
			all = append(all, Difference{Path: "addons." + name, Has: "other values", Asked: "these", By: byUp})
		}
	}
	if !q.Prune {
		return all, nil
	}
	surplus, err := l.surplus(r, q.Addons)
	for _, name := range surplus {
		all = append(all, Difference{Path: "addons", Has: name, Asked: "", By: byPrune})
	}
	return all, err
}
