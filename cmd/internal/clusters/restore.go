package clusters

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// restore plans to create a cluster from a snapshot. It returns ErrInvalid if the request has settings
// that the saved cluster does not have, and ErrUnsupported if this machine cannot use the snapshot.
func (p planner) restore(ctx context.Context, plan Plan, name string) (Plan, error) {
	m, err := p.Snapshots.Get(name)
	if err != nil {
		return Plan{}, err
	}
	saved := state.Record{Flavor: m.Flavor, Spec: m.Spec, Addons: m.Addons, From: name}
	saved.Spec.KubernetesVersion = cmp.Or(m.Spec.KubernetesVersion, m.Snapshot.KubernetesVersion)
	q := p.q
	if _, err := p.Inventory.Set.Get(m.Flavor); err != nil {
		return Plan{}, err
	}
	if q.Spec, err = p.Inventory.Set.Localize(m.Flavor, q.Spec); err != nil {
		return Plan{}, err
	}
	own := []string{"cluster.ports", "cluster.unsyncedEtcd"} // which each cluster may have differently
	all := differences(saved, q)
	all = slices.DeleteFunc(all, func(d output.Difference) bool { return slices.Contains(own, d.Path) })
	if len(all) > 0 {
		return Plan{}, unlike(name, all)
	}
	plan.From, plan.from = name, &m
	plan.Spec = inherit(saved.Spec, q, true).WithDefaults()
	plan.Spec.From = &m.Snapshot
	if plan.Action == ActionRecreate { // checked before anything is deleted
		plan.Flavor = m.Flavor
		return plan, exceptPull(p.Inventory.Set.Check(ctx, m.Flavor, plan.Spec))
	}
	p.q.Flavor = m.Flavor
	return p.choose(ctx, plan, plan.Spec)
}

// unlike returns the error of a request for settings that a snapshot does not have.
func unlike(name string, all []output.Difference) error {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.Text
	}
	err := fault.Errorf(fault.ErrInvalid, "the snapshot %q cannot be restored with these settings: %s", name, strings.Join(texts, ", and "))
	return fault.WithHint(err, "leave out these settings: a restored cluster has those of the snapshot")
}

// restoredAddons returns the addons of a cluster that is created from a snapshot with the addons saved.
// recorded are those of the cluster that it replaces: where both have an addon, the request is theirs.
func restoredAddons(saved, recorded addons.Requests) addons.Requests {
	all := slices.Clone(saved)
	for _, q := range recorded {
		all = all.With(q)
	}
	return all
}

// missing returns the plan without the addons that the cluster has from its snapshot.
func (p Plan) missing() clusteraddons.Plan {
	if p.from == nil {
		return p.addons
	}
	return p.addons.Beyond(p.from.Addons)
}

// verify returns ErrForeign if the plan restores a snapshot whose files were changed or are incomplete.
func (p Plan) verify(name string, report event.Reporter) error {
	if p.from == nil {
		return nil
	}
	return report.For(name).Do("Verifying the snapshot", func(*event.Step) error { return p.from.Verify() })
}
