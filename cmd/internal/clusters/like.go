package clusters

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Like returns a request for a cluster like an existing one, and the images that its pods run: none if it simulates
// pods. The addons and values of q are added. Like warns of addons that `lab up` would install in another version.
//
// Errors: those of [inventory.Inventory.OpenUsable]; ErrUnavailable if the cluster does not run, or if its API server
// does not answer.
func (c *Clusters) Like(ctx context.Context, name string, q UpRequest, report event.Reporter) (UpRequest, []probe.PodImage, error) {
	h, err := c.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return q, nil, err
	}
	live, err := h.Cluster(ctx)
	if err != nil {
		return q, nil, err
	}
	target, err := h.Target(ctx)
	if err != nil {
		return q, nil, err
	}
	if err := c.warnOfVersions(h.Record, report); err != nil {
		return q, nil, err
	}
	q = requestLike(h.Record, live, q)
	if !h.Record.Traits.RunsPods {
		return q, nil, nil
	}
	images, err := c.PodImages(ctx, target.Kubeconfig)
	if err != nil && ctx.Err() == nil {
		err = fault.Errorf(fault.ErrUnavailable, "cannot list the pods of cluster %q: %w", name, err)
		err = fault.WithHint(err, "repair the cluster: lab start %s; its state: lab status %s", name, name)
	}
	return q, images, cmp.Or(ctx.Err(), err)
}

// requestLike returns q for a cluster with the record r, and with the addons of r in the versions and with the values
// that the cluster has. The values of q override them.
func requestLike(r state.Record, live providers.Cluster, q UpRequest) UpRequest {
	q.Flavor, q.Profile = r.Flavor, r.Profile
	q.Spec = r.Spec
	q.Spec.Mark = ""
	if q.Spec.NodeImage == "" && len(q.Spec.Native) == 0 { // another version of lab may choose another one
		q.Spec.KubernetesVersion = cmp.Or(q.Spec.KubernetesVersion, release(live))
	}
	values := map[string]addons.Values{}
	var names []string
	var defined []addons.Addon
	for _, request := range r.Addons {
		if request.Removing {
			continue
		}
		a := request.Addon
		names, defined = append(names, a.Name), append(defined, a)
		if len(request.Values) > 0 {
			values[a.Name] = request.Values
		}
	}
	for name, v := range q.Addons.Values {
		values[name] = addons.Merge(values[name], v)
	}
	q.Addons.Names = slices.Concat(names, q.Addons.Names)
	q.Addons.Defined = slices.Concat(defined, q.Addons.Defined)
	q.Addons.Values = values
	return q
}

// warnOfVersions warns of addons of a cluster whose chart is not that of the catalog.
func (c *Clusters) warnOfVersions(r state.Record, report event.Reporter) error {
	catalog, err := c.Addons.Catalog()
	if err != nil {
		return err
	}
	for _, request := range r.Addons {
		name := request.Addon.Name
		current, err := catalog.Get(name)
		if errors.Is(err, fault.ErrNotFound) || request.Own || request.Removing || current.Chart == request.Addon.Chart {
			continue
		}
		if err != nil {
			return err
		}
		report.Warn("cluster %q has %s %s, and lab up installs %s: the bundle has only the first. Upgrade the addon: lab addon upgrade %s --name %s",
			r.Name, name, request.Addon.Chart.Version, current.Chart.Version, name, r.Name)
	}
	return nil
}
