package lab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Difference is one thing in which a cluster is not as asked.
type Difference struct {
	Path  string `json:"path"` // as in lab.yaml
	Has   string `json:"has"`
	Asked string `json:"asked"`
	By    string `json:"by"` // the command that brings it to what is asked

	text string // of an error: "it has 2 workers, not 4"
}

// The commands that bring a cluster to what is asked.
const (
	byUp       = "lab up"
	byPrune    = "lab up --prune"
	byRecreate = "lab up --recreate"
	byStart    = "lab start"
)

// Diff is the result of [Lab.Diff].
type Diff struct {
	Meta
	Name    string       `json:"name"`
	Items   []Difference `json:"items"`
	Surplus []string     `json:"surplus,omitempty"` // addons that are not asked for, which only lab up --prune removes
}

// Diff tells how the cluster differs from what q asks, and changes nothing. There is no
// difference where Up with the same q would change nothing and everything is ready. Errors:
// those of [Lab.Status], [addons.Source] and [addons.Installer], and ErrInvalid.
func (l *Lab) Diff(ctx context.Context, q UpRequest) (Diff, error) {
	d := Diff{Meta: Meta{APIVersion, "Diff"}, Name: q.Spec.Name, Items: []Difference{}}
	if err := cmp.Or(q.Spec.WithDefaults().Validate(), validateTTL(q.TTL)); err != nil {
		return d, err
	}
	h, err := l.load(q.Spec.Name)
	if err != nil {
		return d, err
	}
	r := h.record
	if !h.recorded() {
		d.Items = append(d.Items, Difference{Path: "name", Has: "no cluster", Asked: q.Spec.Name, By: byUp})
		return d, nil
	}
	if q.Spec, err = l.Set.Localize(r.Flavor, q.Spec); err != nil {
		return d, err
	}
	live, err := h.cluster(ctx)
	if errors.Is(err, fault.ErrNotFound) {
		d.Items = append(d.Items, Difference{Path: "name", Has: "a cluster that is gone", Asked: q.Spec.Name, By: byUp})
		return d, nil
	}
	if err != nil {
		return d, err
	}
	if o := l.obstacleOf(r, l.State.Busy(r.Name)); o != nil {
		d.Items = append(d.Items, Difference{Path: "state", Has: o.reason, Asked: string(providers.StateRunning), By: byUp})
		return d, nil
	}
	c, err := l.status(ctx, h, l.State.Busy(r.Name))
	if err != nil {
		return d, err
	}
	d.Items = append(d.Items, missing(r, live, c)...)
	r.Spec.KubernetesVersion = cmp.Or(r.Spec.KubernetesVersion, release(live))
	d.Items = append(d.Items, differences(r, q)...)
	d.Items = append(d.Items, lifetime(r, q)...)
	changed, err := l.addonDifferences(ctx, h, q, c)
	d.Items = append(d.Items, changed...)
	if err == nil {
		d.Surplus, err = l.surplus(h, q.Addons)
	}
	if q.Prune {
		for _, name := range d.Surplus {
			d.Items = append(d.Items, Difference{Path: "addons", Has: name, Asked: "", By: byPrune})
		}
	}
	return d, err
}

// missing returns what keeps a cluster in the state of c from being ready, apart from its
// addons.
func missing(r state.Record, live providers.Cluster, c Cluster) []Difference {
	var all []Difference
	gone := providers.Gone(r.Parts, live.Parts)
	for _, p := range gone {
		by := byRecreate
		if repairable(gone) {
			by = byStart
		}
		all = append(all, Difference{Path: p.Kind, Has: "gone", Asked: p.Name, By: by})
	}
	// A cluster whose addons were looked at is ready but for those.
	looked := slices.ContainsFunc(c.Addons, func(a Addon) bool { return a.State != "" })
	if len(all) == 0 && !looked && (c.State != providers.StateRunning || c.Hint != "") {
		all = append(all, Difference{Path: "state", Has: reasoned(string(c.State), c.Reason), Asked: string(providers.StateRunning), By: byUp})
	}
	return all
}

// lifetime compares times to live. Up restarts one each time; that is no difference.
func lifetime(r state.Record, q UpRequest) []Difference {
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
	return []Difference{{Path: "ttl", Has: has, Asked: asked, By: byUp}}
}

// noExpiry is the time to live of a cluster without one.
const noExpiry = "no expiry"

func reasoned(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// release is the version of Kubernetes that a flavor's own is one of: v1.37.2+k3s1 is a
// v1.37.2.
func release(c providers.Cluster) string {
	v, _, _ := strings.Cut(c.KubernetesVersion, "+")
	return v
}

// differences returns the requested settings in which an existing cluster differs, and which
// were fixed when it was created. A setting is requested if it is not zero, or if q.Given has it.
// A Kubernetes version of "" requests the version of the flavor, which an existing cluster may
// have, so it never differs.
func differences(r state.Record, q UpRequest) []Difference {
	has, asked := r.Spec, q.Spec
	var all []Difference
	add := func(differs bool, path string, has, asked any, format string, args ...any) {
		if differs {
			all = append(all, Difference{path, fmt.Sprint(has), fmt.Sprint(asked), byRecreate, fmt.Sprintf(format, args...)})
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
	version := cmp.Or(has.KubernetesVersion, asked.KubernetesVersion) // an unknown version does not differ
	add(flavor != "" && flavor != r.Flavor, "flavor", r.Flavor, flavor, "it is a %s cluster", r.Flavor)
	add(asked.KubernetesVersion != "" && !providers.VersionMatches(asked.KubernetesVersion, version), "cluster.kubernetesVersion", version, asked.KubernetesVersion,
		"it has Kubernetes %s, not %s", version, asked.KubernetesVersion)
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

// samePorts tells whether a cluster publishes these ports, and no others but those that its
// addons asked for.
func samePorts(r state.Record, asked []providers.Port) bool {
	plain := func(ports []providers.Port) []providers.Port {
		ports = slices.Clone(ports)
		for i := range ports {
			ports[i].Address = cmp.Or(ports[i].Address, "127.0.0.1")
			ports[i].Protocol = cmp.Or(ports[i].Protocol, "tcp")
		}
		return ports
	}
	wanted := plain(asked)
	has := slices.DeleteFunc(plain(r.Spec.Ports), func(p providers.Port) bool {
		return !slices.Contains(wanted, p) && slices.ContainsFunc(r.Addons, func(q addons.Request) bool {
			return slices.Contains(q.Addon.Asks.Ports, p.Container) && !published(providers.Spec{Ports: wanted}, p.Container)
		})
	})
	return sameSet(wanted, has)
}

// sameSet tells whether two lists have the same items, in whatever order.
func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(item T) bool { return !slices.Contains(b, item) })
}

// differs is the error of an existing cluster that cannot be changed to match the request.
func differs(r state.Record, all []Difference) error {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.text
	}
	return taken(r, "%s", strings.Join(texts, ", and "))
}

// taken is the error of a cluster that exists and cannot become what is asked. A command with
// --recreate alone would recreate it as it is, so the hint is to add the flag to what was asked.
func taken(r state.Record, format string, args ...any) error {
	err := fault.Errorf(fault.ErrExists, "cluster %q exists already, and %s", r.Name, fmt.Sprintf(format, args...))
	return fault.WithHint(err, "choose another name; or, to recreate the cluster and lose its contents, add --recreate to this command")
}
