package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// surplus returns the addons of a cluster that are not asked for, what needs others before
// those: which is the order in which they can go.
func (l *Lab) surplus(h *handle, q AddonRequest) ([]string, error) {
	r := h.record
	q.Values = nil
	for _, request := range r.Addons { // which may be in no catalogue
		q.Defined = append([]addons.Addon{request.Addon}, q.Defined...)
	}
	plan, err := l.planAddons(&handle{lab: l, catalog: h.catalog}, q)
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

// addonDifferences returns how the addons of a cluster, which is as c says, differ from what
// q asks.
func (l *Lab) addonDifferences(ctx context.Context, h *handle, q UpRequest, c Cluster) ([]Difference, error) {
	r := h.record
	asked := q.Addons
	asked.Names = slices.Concat(r.Addons.Names(), asked.Names) // as Up does
	plan, err := l.planAddons(h, asked)
	if err != nil {
		return nil, err
	}
	var target addons.Cluster
	if slices.ContainsFunc(c.Addons, func(a Addon) bool { return a.State != "" }) { // else nothing in it can be compared
		if target, err = h.target(ctx); err != nil {
			return nil, err
		}
	}
	found := make([][]Difference, len(plan))
	indices := make([]int, len(plan))
	for i := range indices {
		indices[i] = i
	}
	err = sideBySide(indices, func(i int) (err error) {
		found[i], err = l.addonDifference(ctx, r, target, q, c, plan[i])
		return err
	})
	return slices.Concat(found...), err
}

func (l *Lab) addonDifference(
	ctx context.Context, r state.Record, target addons.Cluster, q UpRequest, c Cluster, request addons.Request,
) ([]Difference, error) {
	name := request.Addon.Name
	path := "addons." + name
	before, has := r.Addons.Get(name)
	if !has {
		by := byUp
		if lacks(r, addons.Requests{request}) != nil {
			by = byRecreate
		}
		return []Difference{{Path: "addons", Has: "", Asked: name, By: by}}, nil
	}
	all := definitionDifferences(r.Name, path, before.Addon, request.Addon)
	for _, at := range valueDifferences(before.Values, request.Values, "values") {
		at.Path = path + "." + at.Path
		all = append(all, at)
	}
	i := slices.IndexFunc(c.Addons, func(a Addon) bool { return a.Name == name })
	if i < 0 || c.Addons[i].State == "" { // of a cluster that is stopped or does not answer
		return all, nil
	}
	if a := c.Addons[i]; a.State != addons.StateReady {
		all = append(all, Difference{Path: path, Has: reasoned(string(a.State), a.Reason), Asked: string(addons.StateReady), By: byUp})
	}
	if len(all) > 0 {
		return all, nil
	}
	reason, err := l.stale(ctx, r.Name, target, q.Addons, request)
	if reason != "" {
		all = append(all, Difference{Path: path, Has: reason, Asked: "as requested", By: byUp})
	}
	return all, err
}

// stale returns why Up would not leave an addon as it is although its request is the same,
// or "". A chart that is no longer cached cannot have changed: its version is fixed.
func (l *Lab) stale(ctx context.Context, cluster string, target addons.Cluster, q AddonRequest, request addons.Request) (string, error) {
	q.Offline = true
	releases, err := l.releases(ctx, target, addons.Requests{request}, q, func(err error, _ string) error { return err })
	if errors.Is(err, fault.ErrUnavailable) && request.Addon.Chart.Path == "" {
		return "", nil
	}
	if err != nil {
		return "", &providers.Error{Op: "compare " + request.Addon.Name + " on", Cluster: cluster, Err: err}
	}
	return l.Addons.Installer.Stale(ctx, target, releases[request.Addon.Name])
}

// definitionDifferences compares an addon of a cluster with its new definition.
func definitionDifferences(cluster, path string, has, asked addons.Addon) []Difference {
	var all []Difference
	if has.Chart != asked.Chart {
		all = append(all, Difference{Path: path + ".chart", Has: has.Chart.String(), Asked: asked.Chart.String(), By: byUp})
	}
	if has.In() != asked.In() {
		all = append(all, Difference{Path: path + ".namespace", Has: has.In(), Asked: asked.In(), By: "lab addon remove " + has.Name + " --name " + cluster})
	}
	old, _ := json.Marshal(has) // of types that JSON has
	now, _ := json.Marshal(asked)
	if len(all) == 0 && !bytes.Equal(old, now) {
		all = append(all, Difference{Path: path, Has: "another definition", Asked: "this one", By: byUp})
	}
	return all
}

// valueDifferences names the values that differ without showing them: a value may be a
// password.
func valueDifferences(has, asked addons.Values, path string) []Difference {
	var all []Difference
	for _, key := range slices.Sorted(maps.Keys(addons.Merge(has, asked))) {
		old, had := has[key]
		now, is := asked[key]
		oldMap, was := old.(map[string]any)
		nowMap, both := now.(map[string]any)
		at := path + "." + key
		switch d := (Difference{Path: at, Has: "another value", Asked: "this value", By: byUp}); {
		case was && both && len(oldMap) > 0 && len(nowMap) > 0:
			all = append(all, valueDifferences(oldMap, nowMap, at)...)
		case had && is && (addons.Values{"": old}).Equal(addons.Values{"": now}):
		case !had:
			d.Has = "no value"
			all = append(all, d)
		case !is:
			d.Asked = "no value"
			all = append(all, d)
		default:
			all = append(all, d)
		}
	}
	return all
}
