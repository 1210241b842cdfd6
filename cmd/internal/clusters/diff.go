package clusters

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Diff returns how a cluster differs from a request, and changes nothing. There is no difference if
// Up with the same request would change nothing and everything is ready. Errors: those of
// [Clusters.Status], [addons.Source] and [addons.Installer], and ErrInvalid.
func (c *Clusters) Diff(ctx context.Context, q UpRequest) (output.Diff, error) {
	d, err := c.diff(ctx, q)
	for i, item := range d.Items {
		d.Items[i].By = withName(item.By, d.Name)
	}
	return d, err
}

// withName adds the cluster's name to "lab up" and "lab start", unless it is the default or there
// already.
func withName(command, name string) string {
	words := strings.Fields(command)
	if name == inventory.DefaultName || len(words) < 2 || words[1] == "addon" || slices.Contains(words, name) {
		return command
	}
	return strings.Join(slices.Insert(words, 2, name), " ")
}

func (c *Clusters) diff(ctx context.Context, q UpRequest) (output.Diff, error) {
	d := output.Diff{Meta: output.NewMeta("Diff"), Name: q.Spec.Name, Items: []output.Difference{}}
	if err := cmp.Or(q.Spec.WithDefaults().Validate(), validateTTL(q.TTL)); err != nil {
		return d, err
	}
	h, err := c.Inventory.OpenOrNew(q.Spec.Name)
	if err != nil {
		return d, err
	}
	if !h.Recorded() {
		d.Items = append(d.Items, output.Difference{Path: "name", Has: "no cluster", Asked: q.Spec.Name, By: output.ByUp})
		return d, nil
	}
	if q.Spec, err = c.Inventory.Set.Localize(h.Record.Flavor, q.Spec); err != nil {
		return d, err
	}
	live, err := h.Cluster(ctx)
	if errors.Is(err, fault.ErrNotFound) {
		d.Items = append(d.Items, output.Difference{Path: "name", Has: "a cluster that is gone", Asked: q.Spec.Name, By: output.ByUp})
		return d, nil
	}
	if err != nil {
		return d, err
	}
	busy := c.Inventory.State.Busy(q.Spec.Name)
	if reason := c.Inventory.Obstacle(h.Record, busy); reason != "" {
		d.Items = append(d.Items, output.Difference{Path: "state", Has: reason, Asked: string(providers.StateRunning), By: output.ByUp})
		return d, nil
	}
	shown, err := c.Addons.Status(ctx, h, busy)
	if err != nil {
		return d, err
	}
	err = c.compare(ctx, h, live, shown, q, &d)
	return d, err
}

// compare adds to d the differences of a cluster that exists. shown is the cluster with its addons.
func (c *Clusters) compare(
	ctx context.Context, h *inventory.Handle, live providers.Cluster, shown output.Cluster, q UpRequest, d *output.Diff,
) error {
	r := h.Record
	d.Items = append(d.Items, unready(r, live, shown)...)
	r.Spec.KubernetesVersion = cmp.Or(r.Spec.KubernetesVersion, release(live))
	d.Items = append(d.Items, differences(r, q)...)
	d.Items = append(d.Items, lifetime(r, q)...)
	plan, err := c.Addons.Plan(r, q.Addons)
	if err != nil {
		return err
	}
	changed, err := c.Addons.Differences(ctx, h, shown, plan)
	d.Items = append(d.Items, changed...)
	if err != nil {
		return err
	}
	d.Surplus = plan.Surplus
	if q.Prune {
		for _, name := range d.Surplus {
			d.Items = append(d.Items, output.Difference{Path: "addons", Has: name, Asked: "", By: output.ByPrune})
		}
	}
	return nil
}

// unready returns why a cluster is not ready, apart from its addons.
func unready(r state.Record, live providers.Cluster, c output.Cluster) []output.Difference {
	var all []output.Difference
	gone := providers.Gone(r.Parts, live.Parts)
	for _, p := range gone {
		by := output.ByRecreate
		if inventory.Repairable(gone) {
			by = output.ByStart
		}
		all = append(all, output.Difference{Path: p.Kind, Has: "gone", Asked: p.Name, By: by})
	}
	// Addons are inspected only in a cluster that is ready.
	inspected := slices.ContainsFunc(c.Addons, func(a output.Addon) bool { return a.State != "" && a.State != addons.StateRemoving })
	if len(all) == 0 && !inspected && (c.State != providers.StateRunning || c.Hint != "") {
		all = append(all, output.Difference{Path: "state", Has: output.Reasoned(string(c.State), c.Reason), Asked: string(providers.StateRunning), By: output.ByUp})
	}
	return all
}

// lifetime compares the times to live. Up restarts one each time, which is not a difference.
func lifetime(r state.Record, q UpRequest) []output.Difference {
	const noExpiry = "no expiry"
	has, asked := noExpiry, noExpiry
	if q.TTL > 0 {
		asked = q.TTL.String()
	}
	switch {
	case q.TTL == r.TTL && (q.TTL > 0 || r.ExpiresAt == nil), q.TTL == 0 && q.Given["ttl"] == "":
		return nil
	case r.TTL > 0:
		has = r.TTL.String()
	case r.ExpiresAt != nil && q.TTL > 0:
		return nil // an older lab did not record the time to live
	case r.ExpiresAt != nil:
		has = r.ExpiresAt.String()
	}
	return []output.Difference{{Path: "ttl", Has: has, Asked: asked, By: output.ByUp}}
}

// release returns the version of Kubernetes without the suffix of a distribution: v1.37.2 for
// v1.37.2+k3s1.
func release(c providers.Cluster) string {
	v, _, _ := strings.Cut(c.KubernetesVersion, "+")
	return v
}

// differences returns the requested settings in which an existing cluster differs, and which were fixed
// when it was created. A setting is requested if it is not zero, or if q.Given has it. A Kubernetes
// version of "" requests the version of the flavor, which an existing cluster may have, so it never
// differs.
func differences(r state.Record, q UpRequest) []output.Difference {
	has, asked := r.Spec, q.Spec
	var all []output.Difference
	add := func(differs bool, path string, has, asked any, format string, args ...any) {
		if differs {
			all = append(all, output.Difference{
				Path: path, Has: fmt.Sprint(has), Asked: fmt.Sprint(asked), By: output.ByRecreate, Text: fmt.Sprintf(format, args...)})
		}
	}
	given := func(path string, set bool) bool { return set || q.Given[path] != "" }
	either := func(path, what, has, asked string) {
		differs := given(path, asked != "") && asked != has
		has, asked = cmp.Or(has, "the default"), cmp.Or(asked, "the default")
		add(differs, path, has, asked, "its %s is %s, not %s", what, has, asked)
	}
	flavor := q.Flavor
	if flavor == FlavorAuto {
		flavor = ""
	}
	version := cmp.Or(has.KubernetesVersion, asked.KubernetesVersion) // an unknown version is not a difference
	add(flavor != "" && flavor != r.Flavor, "flavor", r.Flavor, flavor, "it is a %s cluster", r.Flavor)
	add(asked.KubernetesVersion != "" && !providers.VersionMatches(asked.KubernetesVersion, version), "cluster.kubernetesVersion", version, asked.KubernetesVersion,
		"it has Kubernetes %s, not %s", version, asked.KubernetesVersion)
	add(q.From != "" && q.From != r.From, "from", cmp.Or(r.From, "none"), q.From, "it was not created from the snapshot %q", q.From)
	planes := max(asked.ControlPlanes, 1)
	add(given("cluster.controlPlanes", asked.ControlPlanes > 0) && planes != has.ControlPlanes, "cluster.controlPlanes", has.ControlPlanes, planes,
		"it has %d control planes, not %d", has.ControlPlanes, planes)
	add(given("cluster.workers", asked.Workers > 0) && asked.Workers != has.Workers, "cluster.workers", has.Workers, asked.Workers,
		"it has %d workers, not %d", has.Workers, asked.Workers)
	either("cluster.image", "node image", has.NodeImage, asked.NodeImage)
	either("cluster.driver", "driver", has.Driver, asked.Driver)
	add(given("cluster.ports", len(asked.Ports) > 0) && !samePorts(r, asked.Ports), "cluster.ports", has.Ports, asked.Ports,
		"its published ports are %v, not %v", has.Ports, asked.Ports)
	add(given("cluster.mounts", len(asked.Mounts) > 0) && !sameSet(asked.Mounts, has.Mounts), "cluster.mounts", has.Mounts, asked.Mounts,
		"its mounts are %v, not %v", has.Mounts, asked.Mounts)
	etcd, wanted := has.Wants.UnsyncedEtcd, asked.Wants.UnsyncedEtcd
	add(given("cluster.unsyncedEtcd", wanted) && etcd != wanted, "cluster.unsyncedEtcd", etcd, wanted, "its unsyncedEtcd is %v, not %v", etcd, wanted)
	add(given("cluster.config", len(asked.Native) > 0) && !bytes.Equal(asked.Native, has.Native), "cluster.config", configName(has.Native, "another"), configName(asked.Native, "this one"),
		"it has another configuration of its tool")
	return all
}

// configName returns name, or "none" if there is no configuration.
func configName(config []byte, name string) string {
	if len(config) == 0 {
		return "none"
	}
	return name
}

// samePorts reports whether a cluster publishes exactly these ports, apart from those that its addons
// need.
func samePorts(r state.Record, asked []providers.Port) bool {
	wanted := withDefaults(asked)
	has := slices.DeleteFunc(withDefaults(r.Spec.Ports), func(p providers.Port) bool {
		return !slices.Contains(wanted, p) && slices.ContainsFunc(r.Addons, func(q addons.Request) bool {
			return slices.Contains(q.Addon.Asks.Ports, p.Container) && !clusteraddons.Published(providers.Spec{Ports: wanted}, p.Container)
		})
	})
	return sameSet(wanted, has)
}

// withDefaults returns ports with the address and the protocol that an empty one stands for.
func withDefaults(ports []providers.Port) []providers.Port {
	ports = slices.Clone(ports)
	for i := range ports {
		ports[i].Address = cmp.Or(ports[i].Address, "127.0.0.1")
		ports[i].Protocol = cmp.Or(ports[i].Protocol, "tcp")
	}
	return ports
}

// sameSet reports whether two lists have the same items in any order.
func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(item T) bool { return !slices.Contains(b, item) })
}

// differs returns the error of an existing cluster that cannot be changed to match a request. A
// command with --recreate alone would recreate the cluster unchanged, so the hint is to add the flag.
func differs(r state.Record, all []output.Difference) error {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.Text
	}
	err := fault.Errorf(fault.ErrExists, "cluster %q exists already, and %s", r.Name, strings.Join(texts, ", and "))
	return fault.WithHint(err, "choose another name; or, to recreate the cluster and lose its contents, add --recreate to this command")
}
