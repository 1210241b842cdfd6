package clusters

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// exceptPull returns nil for the error of a node image that the creation would pull.
func exceptPull(err error) error {
	if _, ok := errors.AsType[*providers.NotLocal](err); ok {
		return nil
	}
	return err
}

// choose returns the plan with the flavor of a new cluster.
func (p planner) choose(ctx context.Context, plan Plan, spec providers.Spec) (Plan, error) {
	var err error
	plan.Flavor = p.q.Flavor
	if plan.Flavor == "" || plan.Flavor == FlavorAuto {
		plan.Flavor = p.Flavor
	}
	switch auto := plan.Flavor == "" || plan.Flavor == FlavorAuto; {
	case auto && p.q.local:
		plan.Flavor, plan.Skipped, err = p.chooseOffline(ctx, spec)
		plan.chosen = true
	case auto:
		plan.Flavor, err = p.firstUsable(ctx, spec)
	default:
		err = p.usable(ctx, plan.Flavor, spec)
	}
	if err != nil {
		return Plan{}, err
	}
	// If the tool cannot be asked, nothing is created: the name may belong to another cluster, which
	// the undoing of a failed creation would delete.
	foreign, unasked := p.Inventory.Unmanaged(ctx, spec.Name, plan.Flavor)
	return plan, cmp.Or(foreign, unasked)
}

func (p planner) firstUsable(ctx context.Context, spec providers.Spec) (string, error) {
	spec.Offline = false // a dry run chooses what up chooses
	first, err := p.Inventory.Set.FirstUsable(ctx, spec)
	if err != nil {
		return "", err
	}
	return first.Name(), nil
}

// usable returns the error of a requested flavor that cannot create the cluster.
func (p planner) usable(ctx context.Context, flavor string, spec providers.Spec) error {
	if _, err := p.Inventory.Set.Get(flavor); err != nil {
		return err
	}
	err := exceptPull(p.Inventory.Set.Check(ctx, flavor, spec))
	switch {
	case errors.Is(err, fault.ErrUnavailable):
		return fmt.Errorf("%s cannot be used: %w", flavor, err)
	case err != nil:
		return fmt.Errorf("%s: create cluster %q: %w", flavor, spec.Name, err)
	}
	return nil
}

// checkCreation returns the errors of a creation that can be known before it.
func (p planner) checkCreation(ctx context.Context, plan *Plan) error {
	if !p.q.NoKubeconfig {
		if err := p.entries().check(ctx, p.h, plan.Flavor); err != nil {
			return err
		}
	}
	if !p.q.Spec.Offline {
		return nil // the creation itself is next
	}
	set := p.Inventory.Set
	err := set.Check(ctx, plan.Flavor, plan.Spec)
	if remote, ok := errors.AsType[*providers.NotLocal](err); ok {
		plan.Pulls, err = remote.Image, nil
	}
	if err != nil || plan.Action == ActionRecreate { // deleting the old cluster frees its ports
		return err
	}
	return set.CheckPorts(ctx, plan.Spec)
}
