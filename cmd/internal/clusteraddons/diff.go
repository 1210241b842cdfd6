package clusteraddons

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Differences returns how the addons of a cluster differ from a plan. c is the cluster as Status
// returned it.
func (s *Addons) Differences(ctx context.Context, h *inventory.Handle, c output.Cluster, plan Plan) ([]output.Difference, error) {
	d := comparison{Addons: s, record: h.Record, cluster: c, request: plan.request}
	if slices.ContainsFunc(c.Addons, func(a output.Addon) bool { return d.inspected(a.Name) }) {
		var err error
		if d.target, err = h.Target(ctx); err != nil {
			return nil, err
		}
	}
	found := make([][]output.Difference, len(plan.Requests))
	err := concurrently(indices(len(found)), func(i int) (err error) {
		found[i], err = d.compare(ctx, plan.Requests[i])
		return err
	})
	all := slices.Concat(found...)
	for _, name := range plan.Resumed {
		all = append(all, output.Difference{Path: "addons." + name, Has: string(addons.StateRemoving), Asked: "removed", By: output.ByUp})
	}
	return all, err
}

// comparison compares the addons of one cluster with a request.
type comparison struct {
	*Addons
	record  state.Record
	cluster output.Cluster
	target  addons.Cluster // zero if no addon was inspected
	request Request
}

// inspected reports whether the cluster was asked for the state of an addon. A stopped cluster was
// not.
func (d comparison) inspected(name string) bool {
	i := slices.IndexFunc(d.cluster.Addons, func(a output.Addon) bool { return a.Name == name })
	return i >= 0 && d.cluster.Addons[i].State != "" && d.cluster.Addons[i].State != addons.StateRemoving
}

func (d comparison) compare(ctx context.Context, request addons.Request) ([]output.Difference, error) {
	name := request.Addon.Name
	path := "addons." + name
	before, has := d.record.Addons.Get(name)
	if !has {
		by := output.ByUp
		if Lacks(d.record, addons.Requests{request}) != nil {
			by = output.ByRecreate
		}
		return []output.Difference{{Path: "addons", Has: "", Asked: name, By: by}}, nil
	}
	all := definitionDifferences(d.record.Name, path, before.Addon, request.Addon)
	for _, at := range valueDifferences(before.Values, request.Values, "values") {
		at.Path = path + "." + at.Path
		all = append(all, at)
	}
	if before.Removing {
		return append(all, output.Difference{Path: path, Has: string(addons.StateRemoving), Asked: string(addons.StateReady), By: output.ByUp}), nil
	}
	if !d.inspected(name) {
		return all, nil
	}
	i := slices.IndexFunc(d.cluster.Addons, func(a output.Addon) bool { return a.Name == name })
	if a := d.cluster.Addons[i]; a.State != addons.StateReady {
		all = append(all, output.Difference{Path: path, Has: output.Reasoned(string(a.State), a.Reason), Asked: string(addons.StateReady), By: output.ByUp})
	}
	if len(all) > 0 {
		return all, nil
	}
	reason, err := d.stale(ctx, request)
	if reason != "" {
		all = append(all, output.Difference{Path: path, Has: reason, Asked: "as requested", By: output.ByUp})
	}
	return all, err
}

// stale returns why an update would change an addon although its request is the same, or "". A chart
// that is no longer cached has not changed: its version is fixed.
func (d comparison) stale(ctx context.Context, request addons.Request) (string, error) {
	q := d.request
	q.Offline = true
	releases, err := d.releases(ctx, d.target, addons.Requests{request}, q, func(err error, _ string) error { return err })
	if errors.Is(err, fault.ErrUnavailable) && request.Addon.Chart.Path == "" {
		return "", nil
	}
	if err != nil {
		return "", &providers.Error{Op: "compare " + request.Addon.Name + " on", Cluster: d.record.Name, Err: err}
	}
	return d.Tools.Installer.Stale(ctx, d.target, releases[request.Addon.Name])
}

// definitionDifferences compares an addon of a cluster with its new definition.
func definitionDifferences(cluster, path string, has, asked addons.Addon) []output.Difference {
	var all []output.Difference
	if has.Chart != asked.Chart {
		all = append(all, output.Difference{Path: path + ".chart", Has: has.Chart.String(), Asked: asked.Chart.String(), By: output.ByUp})
	}
	if has.In() != asked.In() {
		all = append(all, output.Difference{Path: path + ".namespace", Has: has.In(), Asked: asked.In(), By: "lab addon remove " + has.Name + " --name " + cluster})
	}
	old, _ := json.Marshal(has) // JSON has all of its types
	now, _ := json.Marshal(asked)
	if len(all) == 0 && !bytes.Equal(old, now) {
		all = append(all, output.Difference{Path: path, Has: "another definition", Asked: "this one", By: output.ByUp})
	}
	return all
}

// valueDifferences names the values that differ without showing them: a value may be a password.
func valueDifferences(has, asked addons.Values, path string) []output.Difference {
	var all []output.Difference
	for _, key := range slices.Sorted(maps.Keys(addons.Merge(has, asked))) {
		old, had := has[key]
		now, is := asked[key]
		oldMap, was := old.(map[string]any)
		nowMap, both := now.(map[string]any)
		at := path + "." + key
		switch d := (output.Difference{Path: at, Has: "another value", Asked: "this value", By: output.ByUp}); {
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
