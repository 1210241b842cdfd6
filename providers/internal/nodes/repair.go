package nodes

import (
	"context"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// repair recreates what a cluster has lost and what holds no data: its network and its load
// balancer. It also gives renamed containers their names back: nodes find one another by them.
// It returns the containers of the cluster after the repair.
func (t Tool) repair(ctx context.Context, ref providers.Ref, nodes []docker.Container, report event.Reporter) ([]docker.Container, error) {
	for _, n := range nodes {
		if !isRenamed(n) {
			continue
		}
		err := report.Do("Renaming container "+n.Renamed+" to "+n.Name, func(*event.Step) error { return docker.Rename(ctx, n) })
		if err != nil {
			return nodes, err
		}
	}
	networks, err := docker.Networks(ctx, "")
	if err != nil {
		return nil, err
	}
	network, own := t.networkOf(nodes)
	lost := slices.DeleteFunc(slices.Clone(nodes), func(n docker.Container) bool {
		return network == "" || !own || isConnected(n, network, networks)
	})
	if len(lost) > 0 {
		err = report.Do("Repairing the network "+network, func(*event.Step) error { return t.reconnect(ctx, network, nodes, lost) })
	}
	unbalanced := t.Balancer != nil && !slices.ContainsFunc(nodes, t.Balancer) && t.remembersBalancer(nodes)
	if err == nil && unbalanced {
		err = report.Do("Recreating the load balancer", func(*event.Step) error { return t.Rebalance(ctx, nodes) })
	}
	if err != nil || len(lost) == 0 && !unbalanced {
		return nodes, err
	}
	return t.Own(ctx, ref)
}

// reconnect connects the lost nodes to a network, which it recreates if necessary. It stops
// running nodes first: they determine their addresses when they start.
func (t Tool) reconnect(ctx context.Context, name string, nodes, lost []docker.Container) error {
	awake := slices.DeleteFunc(slices.Clone(lost), func(n docker.Container) bool { return !n.Running() })
	if err := docker.Stop(ctx, IDs(awake)...); err != nil {
		return err
	}
	network, ok, err := networkNamed(ctx, name)
	if err == nil && !ok {
		if err = t.Remake(ctx, name, nodes); err == nil {
			network, ok, err = networkNamed(ctx, name)
		}
	}
	if err == nil && !ok {
		err = fmt.Errorf("network %s was removed right after it was created", name)
	}
	if err != nil {
		return err
	}
	for _, n := range lost {
		if err := docker.Reconnect(ctx, network, n); err != nil {
			return fmt.Errorf("cannot connect %s to the network %s: %w", n.Name, name, err)
		}
	}
	return nil
}

func networkNamed(ctx context.Context, name string) (docker.Object, bool, error) {
	networks, err := docker.Networks(ctx, "")
	i := slices.IndexFunc(networks, func(o docker.Object) bool { return o.Name == name })
	if i < 0 {
		return docker.Object{}, false, err
	}
	return networks[i], true, err
}

// networkOf returns the network that the tool created a cluster in, or "", and whether the tool
// created that network, too.
func (t Tool) networkOf(nodes []docker.Container) (name string, own bool) {
	if t.Network == nil || len(nodes) == 0 {
		return "", false
	}
	first, ok := t.First(nodes)
	if !ok {
		first = nodes[0]
	}
	return t.Network(first)
}

// isStale reports whether the network that a container was connected to does not exist any
// more. The engine identifies it by ID: a later one of the same name does not count.
func isStale(n docker.Container, network string, networks []docker.Object) bool {
	endpoint, ok := n.NetworkSettings.Networks[network]
	is := func(o docker.Object) bool {
		return o.Name == network && (!ok || endpoint.NetworkID == "" || o.ID == endpoint.NetworkID)
	}
	return !slices.ContainsFunc(networks, is)
}

// isConnected reports whether a container is in a network that exists.
func isConnected(n docker.Container, network string, networks []docker.Object) bool {
	_, ok := n.NetworkSettings.Networks[network]
	return ok && !isStale(n, network, networks)
}

// remembersBalancer reports whether the load balancer of a cluster can be recreated.
func (t Tool) remembersBalancer(nodes []docker.Container) bool {
	first, ok := t.First(nodes)
	return ok && t.CanRebalance != nil && t.CanRebalance(first)
}
