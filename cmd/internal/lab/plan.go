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

// Plan is what [Lab.Up] would do, and what it has done.
type Plan struct {
	Meta
	Action string         `json:"action"` // "create", "recreate", "start" or "none"
	Name   string         `json:"name"`
	Flavor string         `json:"flavor"`
	Spec   providers.Spec `json:"spec"`
	Addons []string       `json:"addons,omitempty"` // what is to be in it, in the order of need
}

// The actions of a Plan.
const (
	ActionCreate   = "create"
	ActionRecreate = "recreate" // what is left of it is removed first
	ActionStart    = "start"
	ActionNone     = "none"
)

// Plan says what Up would do, and touches nothing. Its errors are those of Up that
// can be known beforehand.
func (l *Lab) Plan(ctx context.Context, q UpRequest) (Plan, error) {
	plan, err := l.planCluster(ctx, q)
	if err != nil {
		return Plan{}, err
	}
	return l.withAddons(plan, q)
}

func (l *Lab) planCluster(ctx context.Context, q UpRequest) (Plan, error) {
	asked := q.Spec.ControlPlanes // before it is 1 for everybody
	q.Spec = q.Spec.WithDefaults()
	if err := q.Spec.Validate(); err != nil {
		return Plan{}, err
	}
	plan := Plan{Meta: Meta{APIVersion, "Plan"}, Action: ActionCreate, Name: q.Spec.Name, Spec: q.Spec}
	r, err := l.State.Get(q.Spec.Name)
	if errors.Is(err, providers.ErrNotFound) {
		plan.Flavor, err = l.choose(ctx, q)
		return plan, err
	}
	if err != nil {
		return Plan{}, err
	}
	if q.Flavor != "" && q.Flavor != FlavorAuto && q.Flavor != r.Flavor {
		return Plan{}, taken(r, "it is a %s cluster", r.Flavor)
	}
	plan.Flavor = r.Flavor
	c, err := l.Set.Find(ctx, refOf(r))
	switch {
	case errors.Is(err, providers.ErrNotFound), err == nil && r.Phase != state.PhaseCreated:
		plan.Action = ActionRecreate
		return plan, nil
	case err != nil:
		return Plan{}, err
	}
	release, _, _ := strings.Cut(c.KubernetesVersion, "+") // v1.37.2+k3s1 is a v1.37.2
	r.Spec.KubernetesVersion = cmp.Or(r.Spec.KubernetesVersion, release)
	q.Spec.ControlPlanes = asked
	if err := differs(r, q.Spec); err != nil {
		return Plan{}, err
	}
	plan.Spec, plan.Action = r.Spec, ActionNone
	if c.State != providers.StateRunning {
		plan.Action = ActionStart
	}
	return plan, nil
}

// choose returns the flavor for a new cluster.
func (l *Lab) choose(ctx context.Context, q UpRequest) (string, error) {
	flavor := q.Flavor
	if flavor == "" || flavor == FlavorAuto {
		p, err := l.Set.FirstUsable(ctx)
		if err != nil {
			return "", err
		}
		flavor = p.Name()
	} else if p, err := l.Set.Get(flavor); err != nil {
		return "", err
	} else if err := p.Check(ctx); err != nil {
		return "", fmt.Errorf("%s cannot be used: %w", flavor, err)
	}
	// Without an answer there must be no creation: undoing one that failed would
	// remove a cluster of this name, whoever made it.
	c, ok, err := l.foreign(ctx, q.Spec.Name, flavor)
	if ok {
		return "", foreignError(c)
	}
	return flavor, err
}

// differs returns ErrExists where something is asked of a living cluster that was
// fixed when it was made.
func differs(r state.Record, asked providers.Spec) error {
	has := r.Spec
	switch {
	case asked.KubernetesVersion != "" && asked.KubernetesVersion != cmp.Or(has.KubernetesVersion, asked.KubernetesVersion):
		return taken(r, "it has Kubernetes %s, not %s", has.KubernetesVersion, asked.KubernetesVersion)
	case asked.ControlPlanes > 0 && asked.ControlPlanes != has.ControlPlanes:
		return taken(r, "it has %d control planes, not %d", has.ControlPlanes, asked.ControlPlanes)
	case asked.Workers > 0 && asked.Workers != has.Workers:
		return taken(r, "it has %d workers, not %d", has.Workers, asked.Workers)
	case asked.NodeImage != "" && asked.NodeImage != has.NodeImage:
		return taken(r, "its node image is another")
	case len(asked.Ports) > 0 && fmt.Sprint(asked.Ports) != fmt.Sprint(has.Ports):
		return taken(r, "its published ports are %v, not %v", has.Ports, asked.Ports)
	case len(asked.Mounts) > 0 && fmt.Sprint(asked.Mounts) != fmt.Sprint(has.Mounts):
		return taken(r, "its mounts are others")
	case len(asked.Native) > 0 && !bytes.Equal(asked.Native, has.Native):
		return taken(r, "the configuration of its tool is another")
	}
	return nil
}

func taken(r state.Record, format string, args ...any) error {
	err := providers.Errorf(providers.ErrExists, "cluster %q exists already, and %s", r.Name, fmt.Sprintf(format, args...))
	return providers.WithHint(err, "choose another name, or make it anew: lab down %s, then this command again", r.Name)
}
