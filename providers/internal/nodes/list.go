package nodes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// List returns every cluster of the tool that the Docker Engine has, of any owner. It returns
// ErrUnavailable if the engine cannot be asked, also if the docker command is not on PATH:
// clusters still exist then.
func (t Tool) List(ctx context.Context) ([]providers.Cluster, error) {
	containers, err := docker.Containers(ctx, t.Label)
	if err != nil {
		return nil, err
	}
	byName := map[string][]docker.Container{}
	for _, c := range containers {
		name := t.nameOf(c)
		byName[name] = append(byName[name], c)
	}
	var networks []docker.Object
	if len(containers) > 0 || t.Bare != nil {
		if networks, err = docker.Networks(ctx, ""); err != nil {
			return nil, err
		}
	}
	names := slices.Sorted(maps.Keys(byName))
	clusters := make([]providers.Cluster, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { clusters[i] = t.inspect(ctx, name, t.members(byName[name]), networks) })
	}
	all.Wait()
	return append(clusters, t.bare(networks, names)...), ctx.Err()
}

// bare returns the clusters that have a network and are not in names, which have containers.
func (t Tool) bare(networks []docker.Object, names []string) []providers.Cluster {
	var clusters []providers.Cluster
	for _, network := range networks {
		if t.Bare == nil {
			return nil
		}
		if name := t.Bare(network); name != "" && !slices.Contains(names, name) {
			clusters = append(clusters, providers.Cluster{
				Name: name, Provider: t.Flavor, State: providers.StateDegraded, Reason: "it has a network and no nodes", Bare: true,
			})
		}
	}
	return clusters
}

// inspect describes a cluster. It runs if its API server answers: containers run long before
// that.
func (t Tool) inspect(ctx context.Context, name string, nodes []docker.Container, networks []docker.Object) providers.Cluster {
	c := t.identify(name, nodes)
	first, _ := t.First(nodes)
	c.Nodes, c.Parts = t.partsOf(nodes, networks)
	if c.State, c.Reason = t.State(nodes); c.State != providers.StateRunning {
		return c
	}
	c.Since = map[string]time.Time{}
	for _, n := range nodes {
		c.Since[n.Name] = n.State.StartedAt
	}
	version, err := t.AskVersion(ctx, nodes)
	c.KubernetesVersion = version
	renamed := slices.IndexFunc(nodes, isRenamed)
	switch {
	case err == nil && renamed >= 0:
		c.State, c.Reason = providers.StateDegraded, fmt.Sprintf("container %s was renamed to %s", nodes[renamed].Name, nodes[renamed].Renamed)
	case err == nil:
	case isYoung(first, time.Now()):
		c.State = providers.StateCreating
	default:
		c.State, c.Reason = providers.StateDegraded, "its API server does not answer: "+err.Error()
	}
	return c
}

// partsOf returns the names of the nodes of a cluster, and the parts that it does not work
// without: its nodes, its load balancer, its registry and its network. Other helpers of the
// tool come and go. Volumes are not parts: the engine removes none that a container uses.
func (t Tool) partsOf(nodes []docker.Container, networks []docker.Object) (names []string, parts []providers.Part) {
	for _, n := range t.Workers(nodes) {
		names = append(names, n.Name)
		parts = append(parts, providers.Part{Kind: "node", Name: n.Name})
	}
	for _, n := range nodes {
		switch {
		case is(t.Balancer, n):
			parts = append(parts, providers.Part{Kind: "load balancer", Name: n.Name, Repair: t.remembersBalancer(nodes)})
		case is(t.Registry, n):
			parts = append(parts, providers.Part{Kind: "registry", Name: n.Name})
		}
	}
	name, own := t.networkOf(nodes)
	stale := func(n docker.Container) bool { return isStale(n, name, networks) }
	if name != "" && !slices.ContainsFunc(nodes, stale) {
		parts = append(parts, providers.Part{Kind: "network", Name: name, Repair: own})
	}
	return names, parts
}

// isRenamed reports whether another program has renamed a container.
func isRenamed(c docker.Container) bool { return c.Renamed != "" }
