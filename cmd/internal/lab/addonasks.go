package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/hostport"
)

// withAddons adds to a plan the addons and what they ask of the cluster.
func (l *Lab) withAddons(ctx context.Context, h *handle, plan Plan, q UpRequest) (Plan, error) {
	asked := q.Addons
	asked.Names = slices.Concat(h.record.Addons.Names(), asked.Names)
	requests, err := l.planAddons(h, asked)
	if err != nil || len(requests) == 0 {
		return plan, err
	}
	if err := l.readCharts(ctx, plan, requests); err != nil {
		return plan, err
	}
	plan.Addons, plan.requests = requests.Names(), requests
	if plan.Action == ActionNone || plan.Action == ActionStart {
		return plan, lacks(h.record, requests)
	}
	p, err := l.Set.Get(plan.Flavor)
	if err == nil {
		plan.Spec, err = withAsks(ctx, p, plan.Spec, requests)
	}
	if err != nil {
		return plan, err
	}
	if own, addon := bundled(p.Traits(plan.Spec), requests); own != "" {
		err := fault.Errorf(fault.ErrInvalid, "the cluster would have %s of its own, beside which %s cannot be", own, addon)
		return plan, fault.WithHint(err, "take it out of what %s is told, or leave the addon out", plan.Flavor)
	}
	return plan, nil
}

// readCharts reads the charts on this machine, so that errors in them or in their values are
// found before anything is created. It does not use the network.
func (l *Lab) readCharts(ctx context.Context, plan Plan, requests addons.Requests) error {
	p, err := l.Set.Get(plan.Flavor)
	if err != nil {
		return err
	}
	target := addons.Cluster{Traits: p.Traits(plan.Spec)}
	local := slices.DeleteFunc(slices.Clone(requests), func(r addons.Request) bool { return r.Addon.Chart.Path == "" })
	failed := func(err error, addon string) error {
		return fault.WithHint(fmt.Errorf("addon %s: %w", addon, err), "%s", fault.HintOf(err))
	}
	releases, err := l.releases(ctx, target, local, AddonRequest{Offline: true}, failed)
	if err != nil {
		return err
	}
	return sideBySide(local, func(r addons.Request) error {
		if err := l.Addons.Installer.Check(releases[r.Addon.Name]); err != nil {
			return failed(err, r.Addon.Name)
		}
		return nil
	})
}

// withAsks returns spec with what addons ask of the cluster that p is to make from it.
// Ports that they want published get the same number on the host where it is free, and
// another one where it is not. Where no pods run, nothing is asked: nobody would answer.
func withAsks(ctx context.Context, p providers.Provider, spec providers.Spec, plan addons.Requests) (providers.Spec, error) {
	if !p.Traits(spec).RunsPods {
		return spec, nil
	}
	var list []addons.Addon
	for _, request := range plan {
		list = append(list, request.Addon)
	}
	asks := addons.AsksOf(list)
	spec.Wants = asks.Wants(spec.Wants)
	spec.Ports = slices.Clone(spec.Ports)
	for _, port := range asks.Ports {
		if published(spec, port) {
			continue
		}
		host, err := hostport.Free(ctx, hostport.Port{Number: port})
		if err != nil {
			return spec, err
		}
		spec.Ports = append(spec.Ports, providers.Port{Host: host, Container: port})
	}
	return spec, nil
}

func published(spec providers.Spec, container int) bool {
	return slices.ContainsFunc(spec.Ports, func(p providers.Port) bool { return p.Container == container })
}

// lacks returns ErrExists where a cluster was made without what an addon cannot do
// without, or has the addon in another namespace.
func lacks(r state.Record, requests addons.Requests) error {
	for _, request := range requests {
		name, namespace := request.Addon.Name, request.Addon.In()
		if before, has := r.Addons.Get(name); has && before.Addon.In() != namespace {
			err := fault.Errorf(fault.ErrExists, "addon %s is in namespace %s, and an addon cannot move to namespace %s", name, before.Addon.In(), namespace)
			return fault.WithHint(err, "remove it first: lab addon remove %s --name %s", name, r.Name)
		}
	}
	if !r.Traits.RunsPods {
		return nil
	}
	if own, addon := bundled(r.Traits, requests); own != "" {
		return tooLate(r, addon, "it has %s of its own, beside which %s cannot be", own, addon)
	}
	for _, request := range requests {
		name := request.Addon.Name
		for _, port := range request.Addon.Asks.Ports {
			if r.Traits.HostPorts != "" && !published(r.Spec, port) {
				return tooLate(r, name, "its port %d, which %s needs, is not published on the host", port, name)
			}
		}
	}
	return nil
}

// tooLate is taken for an addon that had to be asked for when the cluster was made.
func tooLate(r state.Record, addon, format string, args ...any) error {
	return fault.WithHint(taken(r, format, args...),
		"choose another name, or recreate the cluster and lose its contents: lab up %s --addon %s --recreate", r.Name, addon)
}

// bundled returns what a cluster with such traits brings along that an addon would take
// the place of, and that addon; or "".
func bundled(t providers.Traits, requests addons.Requests) (own, addon string) {
	for _, request := range requests {
		switch asks := request.Addon.Asks; {
		case asks.NoIngress && t.Ingress:
			return "an ingress controller", request.Addon.Name
		case asks.NoMetricsServer && t.MetricsServer:
			return "a metrics-server", request.Addon.Name
		}
	}
	return "", ""
}
