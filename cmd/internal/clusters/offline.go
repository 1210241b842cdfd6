package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Skipped is a flavor that is not chosen because this machine lacks something for it.
type Skipped struct {
	Flavor string `json:"flavor"`
	Reason string `json:"reason"`
}

// chooseOffline returns the first flavor that is usable and for which this machine has the charts, the images of the
// nodes and the images of the addons, and the flavors before it. If there is none, it returns ErrUnavailable with
// everything that the first usable flavor lacks. Other errors are those of [clusteraddons.Addons.Plan].
func (p planner) chooseOffline(ctx context.Context, spec providers.Spec) (flavor string, skipped []Skipped, err error) {
	plan := Plan{Action: ActionCreate, Name: spec.Name, Spec: spec}
	if plan.addons, err = p.Addons.Plan(p.h.Record, p.q.Addons); err != nil {
		return "", nil, err
	}
	first, usable := error(nil), "" // what the first usable flavor lacks, and its name
	for _, name := range p.Inventory.Set.Names() {
		plan.Flavor = name
		lacks, err := p.lacksOffline(ctx, plan)
		switch {
		case ctx.Err() != nil:
			return "", nil, ctx.Err()
		case err == nil && lacks == nil:
			return name, skipped, nil
		case err == nil && usable == "":
			first, usable = lacks, name
		}
		skipped = append(skipped, Skipped{name, fault.FirstLine(errors.Join(err, lacks))})
	}
	reasons := make([]string, len(skipped))
	for i, s := range skipped {
		reasons[i] = s.Flavor + ": " + s.Reason
		if s.Flavor == usable {
			reasons[i] = s.Flavor + ": " + strings.ReplaceAll(first.Error(), "\n", "\n  ")
		}
	}
	err = fault.Errorf(fault.ErrUnavailable, "this machine does not have everything for any flavor, and --offline is set:\n%s", strings.Join(reasons, "\n"))
	return "", nil, fault.WithHint(err, "%s", p.offlineHint(usable))
}

// lacksOffline returns what this machine lacks for a plan, or the error of a flavor that is not usable.
func (p planner) lacksOffline(ctx context.Context, plan Plan) (lacks, err error) {
	set := p.Inventory.Set
	if err := exceptPull(set.Check(ctx, plan.Flavor, plan.Spec)); err != nil {
		return nil, err
	}
	if plan.Spec, err = set.Resolve(ctx, plan.Flavor, plan.Spec); err != nil {
		return nil, err
	}
	if _, err := set.NodeImages(plan.Flavor, plan.Spec); err != nil { // only the tool knows the images
		return nil, err
	}
	if more, err := set.Downloads(plan.Flavor); err != nil || more != "" {
		return nil, errors.Join(err, fault.Errorf(fault.ErrUnavailable, "it downloads %s, which lab does not take from this machine", more))
	}
	plan, lacks = p.checkOffline(ctx, plan)
	if lacks == nil && len(plan.Missing) > 0 {
		lacks = fault.Errorf(fault.ErrUnavailable, "no bundle on this machine has %s", strings.Join(plan.Missing, ", "))
	}
	return lacks, nil
}

// offlineHint returns how to bring to this machine what it lacks for a flavor, or for all if flavor is "".
func (p planner) offlineHint(flavor string) string {
	if flavor == "" {
		return "see how to fix each flavor: lab flavors; or name a flavor, if this machine has what it downloads: --flavor NAME"
	}
	bundle := "lab bundle create FILE --flavor " + flavor
	if names := slices.Compact(slices.Sorted(slices.Values(p.q.Addons.Names))); len(names) > 0 {
		bundle += " --addon " + strings.Join(names, ",")
	}
	return fmt.Sprintf("create a bundle where a network is: %s; then, here: lab bundle import FILE", bundle)
}

// reportChoice reports which flavor was chosen, and why not those before it.
func (p Plan) reportChoice(report event.Reporter) {
	for _, s := range p.Skipped {
		report.Start("Skipping " + s.Flavor + ": " + s.Reason).End(nil)
	}
	if p.chosen {
		report.Start("Using " + p.Flavor + ": everything that the cluster needs is on this machine").End(nil)
	}
}
