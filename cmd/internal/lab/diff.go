package lab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
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
	Name  string       `json:"name"`
	Items []Difference `json:"items"`
}

// Diff tells in what the cluster is not as q asks, and touches nothing. Errors: those of
// [providers.Set.Find], and ErrInvalid.
func (l *Lab) Diff(ctx context.Context, q UpRequest) (Diff, error) {
	d := Diff{Meta: Meta{APIVersion, "Diff"}, Name: q.Spec.Name, Items: []Difference{}}
	asked := q.Spec.ControlPlanes
	q.Spec = q.Spec.WithDefaults()
	if err := cmp.Or(q.Spec.Validate(), validateTTL(q.TTL)); err != nil {
		return d, err
	}
	q.Spec.ControlPlanes = asked
	r, err := l.State.Get(q.Spec.Name)
	if errors.Is(err, providers.ErrNotFound) {
		d.Items = append(d.Items, Difference{Path: "name", Has: "no cluster", Asked: q.Spec.Name, By: byUp})
		return d, nil
	}
	if err == nil {
		err = l.hasFlavor(r)
	}
	if err == nil {
		q.Spec, err = l.Set.Localize(r.Flavor, q.Spec)
	}
	if err != nil {
		return d, err
	}
	live, err := l.Set.Find(ctx, refOf(r))
	if errors.Is(err, providers.ErrNotFound) {
		d.Items = append(d.Items, Difference{Path: "name", Has: "a cluster that is gone", Asked: q.Spec.Name, By: byUp})
		return d, nil
	}
	if o := l.obstacleOf(r, l.State.Busy(r.Name)); o != nil {
		d.Items = append(d.Items, Difference{Path: "state", Has: o.reason, Asked: string(providers.StateRunning), By: byUp})
		return d, nil
	}
	gone := providers.Gone(r.Parts, live.Parts)
	for _, p := range gone {
		by := byRecreate
		if repairable(gone) {
			by = byStart
		}
		d.Items = append(d.Items, Difference{Path: p.Kind, Has: "gone", Asked: p.Name, By: by})
	}
	r.Spec.KubernetesVersion = cmp.Or(r.Spec.KubernetesVersion, release(live))
	d.Items = append(d.Items, differences(r, q)...)
	if q.TTL > 0 && r.ExpiresAt == nil {
		d.Items = append(d.Items, Difference{Path: "ttl", Has: "for ever", Asked: q.TTL.String(), By: byUp})
	}
	if err != nil {
		return d, err
	}
	changed, err := l.addonDifferences(r, q)
	d.Items = append(d.Items, changed...)
	return d, err
}

// release is the version of Kubernetes that a flavor's own is one of: v1.37.2+k3s1 is a
// v1.37.2.
func release(c providers.Cluster) string {
	v, _, _ := strings.Cut(c.KubernetesVersion, "+")
	return v
}

// differences returns what is asked of a living cluster and was fixed, otherwise, when it
// was made.
func differences(r state.Record, q UpRequest) []Difference {
	has, asked := r.Spec, q.Spec
	var all []Difference
	add := func(differs bool, path string, has, asked any, format string, args ...any) {
		if differs {
			all = append(all, Difference{path, fmt.Sprint(has), fmt.Sprint(asked), byRecreate, fmt.Sprintf(format, args...)})
		}
	}
	flavor := q.Flavor
	if flavor == FlavorAuto {
		flavor = ""
	}
	version := cmp.Or(has.KubernetesVersion, asked.KubernetesVersion) // not known, and so not another
	add(flavor != "" && flavor != r.Flavor, "flavor", r.Flavor, flavor, "it is a %s cluster", r.Flavor)
	add(asked.KubernetesVersion != "" && !providers.VersionMatches(asked.KubernetesVersion, version), "cluster.kubernetesVersion", version, asked.KubernetesVersion,
		"it has Kubernetes %s, not %s", version, asked.KubernetesVersion)
	add(asked.ControlPlanes > 0 && asked.ControlPlanes != has.ControlPlanes, "cluster.controlPlanes", has.ControlPlanes, asked.ControlPlanes,
		"it has %d control planes, not %d", has.ControlPlanes, asked.ControlPlanes)
	add(asked.Workers > 0 && asked.Workers != has.Workers, "cluster.workers", has.Workers, asked.Workers,
		"it has %d workers, not %d", has.Workers, asked.Workers)
	add(asked.NodeImage != "" && asked.NodeImage != has.NodeImage, "cluster.image", has.NodeImage, asked.NodeImage,
		"its node image is another")
	driver := cmp.Or(has.Driver, "the default one")
	add(asked.Driver != "" && asked.Driver != has.Driver, "cluster.driver", driver, asked.Driver, "its driver is %s, not %s", driver, asked.Driver)
	add(len(asked.Ports) > 0 && fmt.Sprint(asked.Ports) != fmt.Sprint(has.Ports), "cluster.ports", has.Ports, asked.Ports,
		"its published ports are %v, not %v", has.Ports, asked.Ports)
	add(len(asked.Mounts) > 0 && fmt.Sprint(asked.Mounts) != fmt.Sprint(has.Mounts), "cluster.mounts", has.Mounts, asked.Mounts,
		"its mounts are others")
	add(len(asked.Native) > 0 && !bytes.Equal(asked.Native, has.Native), "cluster.config", "another", "this one",
		"the configuration of its tool is another")
	return all
}

// differs is the error of a living cluster that cannot become what is asked.
func differs(r state.Record, all []Difference) error {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.text
	}
	return taken(r, "%s", strings.Join(texts, ", and "))
}

// taken is the error of a cluster that is there and cannot be what is asked.
func taken(r state.Record, format string, args ...any) error {
	err := providers.Errorf(providers.ErrExists, "cluster %q exists already, and %s", r.Name, fmt.Sprintf(format, args...))
	return providers.WithHint(err, "choose another name, or make it anew, without what is in it: lab up %s --recreate", r.Name)
}
