package clusteraddons

import (
	"context"
	"maps"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// Status returns a cluster with its nodes and addons. A cluster whose API server does not answer is
// degraded, which is not an error: see [output.Cluster.Ready]. busy is whether another lab process
// works on the cluster: the process that holds the lock passes false.
func (s *Addons) Status(ctx context.Context, h *inventory.Handle, busy bool) (output.Cluster, error) {
	c, mine, err := s.Inventory.Look(ctx, h, busy)
	if err != nil {
		return output.Cluster{}, err
	}
	if !mine || c.State != providers.StateRunning || c.Hint != "" {
		return c, nil
	}
	c.Addons, err = s.views(ctx, h)
	if err != nil {
		return c, err
	}
	for i, a := range c.Addons {
		// An addon that failed before its chart was applied is not in the cluster.
		if last := h.Record.AddonStates[a.Name]; a.State == addons.StatePending && last.State == addons.StateFailed {
			c.Addons[i].State, c.Addons[i].Reason = last.State, last.Reason
		}
	}
	c.JudgeAddons()
	s.remember(ctx, h.Record, c.Addons)
	return c, nil
}

// views returns the addons of a cluster with their present states.
func (s *Addons) views(ctx context.Context, h *inventory.Handle) ([]output.Addon, error) {
	r := h.Record
	views := make([]output.Addon, len(r.Addons))
	if len(views) == 0 {
		return views, nil
	}
	target, installed, err := s.installed(ctx, h)
	if err != nil {
		return nil, err
	}
	r = s.observeIngress(ctx, r, target)
	return views, concurrently(indices(len(views)), func(i int) (err error) {
		views[i], err = s.view(ctx, r, target, r.Addons[i], installed)
		return err
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func (s *Addons) view(ctx context.Context, r state.Record, target addons.Cluster, q addons.Request, installed []addons.Installed) (output.Addon, error) {
	v := inventory.AddonView(r, q)
	if q.Removing {
		return v, nil
	}
	v.State = addons.StatePending
	i := slices.IndexFunc(installed, func(in addons.Installed) bool { return in.Name == q.Addon.Name })
	if i < 0 {
		return v, nil
	}
	in := installed[i]
	v.Version, v.State, v.Reason = in.Version, in.State, in.Reason
	if in.State != addons.StateReady {
		return v, nil
	}
	missing, err := s.Tools.Checker.Look(ctx, target, q.Addon, in)
	switch {
	case ctx.Err() != nil:
		return v, ctx.Err()
	case err != nil:
		v.State, v.Reason = addons.StateFailed, err.Error()
	case missing != "":
		v.State, v.Reason = addons.StateInstalling, missing
	}
	return v, nil
}

// observeIngress returns r with an ingress if a controller that lab does not know serves the
// published port.
func (s *Addons) observeIngress(ctx context.Context, r state.Record, target addons.Cluster) state.Record {
	if !r.Traits.RunsPods || inventory.HasIngress(r) || !Published(r.Spec, inventory.PortIngress) {
		return r
	}
	serves, err := s.Tools.Checker.Ingress(ctx, target, inventory.PortIngress)
	r.Traits.Ingress = serves && err == nil // without an answer no address is shown
	return r
}

// remember records the observed states of the addons for List, unless the cluster is locked: whoever
// holds the lock records them.
func (s *Addons) remember(ctx context.Context, r state.Record, seen []output.Addon) {
	states := map[string]state.AddonState{}
	for _, a := range seen {
		states[a.Name] = state.AddonState{State: a.State, Reason: a.Reason}
	}
	if maps.Equal(states, r.AddonStates) {
		return
	}
	hasty := *s.Inventory.State
	hasty.Patience = 0
	unlock, err := hasty.Lock(ctx, r.Name)
	if err != nil {
		return
	}
	defer unlock()
	now, err := s.Inventory.State.Get(r.Name)
	if err == nil && now.ID == r.ID && now.Phase == state.PhaseCreated && slices.Equal(staying(now), staying(r)) {
		now.AddonStates = states
		_ = s.Inventory.State.Put(now) // only List shows it, so a failure does no harm
	}
}

// installed returns a cluster and the charts that it has.
func (s *Addons) installed(ctx context.Context, h *inventory.Handle) (addons.Cluster, []addons.Installed, error) {
	target, err := h.Target(ctx)
	if err != nil {
		return target, nil, err
	}
	installed, err := s.Tools.Installer.List(ctx, target)
	return target, installed, err
}

// Applied returns those of requests whose charts the cluster has, completely applied.
func (s *Addons) Applied(ctx context.Context, h *inventory.Handle, requests addons.Requests) (addons.Requests, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	_, installed, err := s.installed(ctx, h)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(requests), func(q addons.Request) bool {
		return !slices.ContainsFunc(installed, func(in addons.Installed) bool {
			return in.Name == q.Addon.Name && in.State == addons.StateReady
		})
	}), nil
}

// Await waits until the addons that worked before a cluster was stopped work again.
func (s *Addons) Await(ctx context.Context, h *inventory.Handle, report event.Reporter) error {
	r := h.Record
	if len(r.Addons) == 0 {
		return nil
	}
	return report.Do("Waiting for addons", func(step *event.Step) error {
		target, err := h.Target(ctx)
		if err != nil {
			return err
		}
		installed, err := s.Tools.Installer.List(ctx, target)
		if err != nil {
			return err
		}
		return s.Inventory.WhileAlive(ctx, r, func(ctx context.Context) error {
			return concurrently(installed, func(in addons.Installed) error {
				request, has := r.Addons.Get(in.Name)
				if !has || request.Removing || in.State != addons.StateReady {
					return nil // it did not work before the stop
				}
				return s.Tools.Checker.Wait(ctx, target, request.Addon, in, step.Progress)
			})
		})
	})
}
