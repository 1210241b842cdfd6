// Package nodes is shared by the adapters whose clusters are containers of a Docker Engine. It
// creates clusters, determines their state, and finds the address of their API server. Each
// adapter describes in a [Tool] how its tool labels and publishes containers, and in a
// [Creation] what differs when a cluster is created.
package nodes

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Tool describes how the clusters of a tool are recognized by their containers.
type Tool struct {
	Flavor  string // the provider's name
	Label   string // of every container; its value is the cluster's name, unless Cluster is set
	APIPort string // the API server's port in a container: "6443/tcp"

	// Cluster returns the cluster of a container that bears the label. It may be nil.
	Cluster func(docker.Container) string

	// ControlPlane reports whether a container runs a control plane. The first by name is the
	// one with which the cluster began.
	ControlPlane func(docker.Container) bool

	// Balancer reports whether a container is the load balancer in front of the control planes,
	// where the API server is published. It may be nil.
	Balancer func(docker.Container) bool

	// Helper reports whether another container runs no pods. It may be nil.
	Helper func(docker.Container) bool

	// Registry reports whether a helper is a registry that was created with the cluster, which
	// loses images without it. It may be nil.
	Registry func(docker.Container) bool

	// Network returns the network that the tool created a container in, or "", and whether the
	// tool creates that network for its clusters, so that Remake may. It may be nil.
	Network func(docker.Container) (name string, own bool)

	// Remake recreates a network of a cluster as the tool does.
	Remake func(ctx context.Context, network string, nodes []docker.Container) error

	// Rebalance recreates the load balancer of a cluster and does not start it. It may be nil,
	// as may CanRebalance, which reports whether a control plane has the data for it.
	Rebalance    func(ctx context.Context, nodes []docker.Container) error
	CanRebalance func(docker.Container) bool

	// Bare returns the cluster of a network, or "", for tools whose clusters may have a network
	// and no containers. It may be nil.
	Bare func(docker.Object) string

	// AsPublished says that the certificate of the API server names the address that it is
	// published on, such as 0.0.0.0, and not the loopback instead.
	AsPublished bool

	// Mark returns the mark of a container, or "". It may be nil.
	Mark func(docker.Container) string

	// Cache is the image cache that the user started, to which Start connects the nodes' network
	// again. It may be nil.
	Cache *providers.ImageCache

	// Program is the beginning of the name of the program that makes a container a node: "k3s".
	// It is "" if a container exits with it.
	Program string

	// Restart is the restart policy that the tool gives to nodes: "on-failure:1". It is "" if
	// the tool sets none.
	Restart string

	// Logs returns where the logs of a node are, below the directory into which those of its
	// cluster are saved. It may be nil.
	Logs func(node string) cause.Node

	// Settings returns the keys of the tool's own configuration for a program of a node. It is
	// nil if the user gave no such configuration.
	Settings func(program string) string
}

// Find returns the containers of a cluster by name, or ErrNotFound.
func (t Tool) Find(ctx context.Context, name string) ([]docker.Container, error) {
	label := t.Label + "=" + name
	if t.Cluster != nil {
		label = t.Label
	}
	nodes, err := docker.Containers(ctx, label)
	if t.Cluster != nil {
		nodes = slices.DeleteFunc(nodes, func(c docker.Container) bool { return t.Cluster(c) != name })
	}
	if err == nil && len(nodes) == 0 {
		err = fault.Errorf(fault.ErrNotFound, "%s has no cluster %q", t.Flavor, name)
	}
	return nodes, err
}

// Own returns the containers of a cluster. It returns ErrNotFound if no container has the name,
// and the errors of [providers.Ref.Check] if none of them is ref's.
func (t Tool) Own(ctx context.Context, ref providers.Ref) ([]docker.Container, error) {
	found, err := t.Find(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	return t.Pick(found, ref)
}

// Pick returns the containers in found that are ref's: those that bear its mark or, if none
// does, all of the cluster that begins with ref's first node. Helpers, which bear no mark, are
// ref's while that node exists, or if nothing of another cluster exists.
func (t Tool) Pick(found []docker.Container, ref providers.Ref) ([]docker.Container, error) {
	members := t.members(found)
	c := t.identify(ref.Name, members)
	unmarked := ref.ID != "" && c.ID == ref.ID || ref.ID == "" && ref.Mark == ""
	var own, helpers []docker.Container
	for _, n := range members {
		mark := ""
		if t.Mark != nil {
			mark = t.Mark(n)
		}
		switch {
		case mark != "" && ref.Mark != "":
			if mark == ref.Mark {
				own = append(own, n)
			}
		case len(t.Workers([]docker.Container{n})) == 0:
			helpers = append(helpers, n)
		case unmarked:
			own = append(own, n)
		}
	}
	if len(own)+len(helpers) == len(found) {
		return found, nil
	}
	if slices.ContainsFunc(own, func(n docker.Container) bool { return n.ID == ref.ID }) {
		return append(own, helpers...), nil
	}
	if len(own) == 0 {
		return nil, cmp.Or(ref.Check(c), fault.Errorf(fault.ErrForeign, "none of the containers of this name belongs to the cluster that lab created"))
	}
	return own, nil
}

// members returns the containers of a name without nodes that bear no mark, if others do:
// another program copied their labels, as docker run does from an image that docker commit
// created from a node. The tool itself marks all nodes of a cluster alike.
func (t Tool) members(found []docker.Container) []docker.Container {
	if mark, _ := t.markOf(found); mark == "" {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(n docker.Container) bool {
		return t.Mark(n) == "" && len(t.Workers([]docker.Container{n})) > 0
	})
}

// identify returns the identity of a cluster: its ID and its mark.
func (t Tool) identify(name string, nodes []docker.Container) providers.Cluster {
	c := providers.Cluster{Name: name, Provider: t.Flavor}
	if first, ok := t.First(nodes); ok {
		c.ID = first.ID
	}
	c.Mark, c.Bare = t.markOf(nodes)
	return c
}

// Workers returns the nodes that run pods.
func (t Tool) Workers(nodes []docker.Container) []docker.Container {
	return slices.DeleteFunc(slices.Clone(nodes), func(c docker.Container) bool { return is(t.Balancer, c) || is(t.Helper, c) })
}

// is reports whether a container is what a function of a Tool, which may be nil, recognizes.
func is(recognizes func(docker.Container) bool, c docker.Container) bool {
	return recognizes != nil && recognizes(c)
}

// markOf returns the mark of a cluster, and whether none of its containers can bear one:
// helpers of the tool have none.
func (t Tool) markOf(nodes []docker.Container) (mark string, bare bool) {
	if t.Mark == nil {
		return "", false
	}
	for _, n := range nodes {
		if mark := t.Mark(n); mark != "" {
			return mark, false
		}
	}
	return "", len(t.Workers(nodes)) == 0
}

// nameOf returns the name of the cluster of a container.
func (t Tool) nameOf(c docker.Container) string {
	if t.Cluster != nil {
		return t.Cluster(c)
	}
	return c.Config.Labels[t.Label]
}

// First returns the container with which the cluster began. Its ID is the cluster's identity.
func (t Tool) First(nodes []docker.Container) (docker.Container, bool) {
	i := slices.IndexFunc(nodes, t.ControlPlane)
	if i < 0 {
		return docker.Container{}, false
	}
	return nodes[i], true
}

// Address returns where the API server is published on this machine. Stopped clusters have an
// address, too, if the tool chooses the port when it creates them.
func (t Tool) Address(nodes []docker.Container) (string, error) {
	i := -1
	if t.Balancer != nil {
		i = slices.IndexFunc(nodes, t.Balancer)
	}
	if i < 0 {
		i = slices.IndexFunc(nodes, t.ControlPlane)
	}
	if i < 0 {
		return "", errors.New("it has no control plane")
	}
	// Docker Desktop runs the engine elsewhere, and records what it forwards.
	if forwarded := nodes[i].Config.Labels["desktop.docker.io/ports/"+t.APIPort]; forwarded != "" {
		return forwarded, nil
	}
	for _, ports := range []map[string][]docker.Binding{nodes[i].NetworkSettings.Ports, nodes[i].HostConfig.PortBindings} {
		// PortBindings are as requested: k3d omits the protocol.
		for _, b := range slices.Concat(ports[t.APIPort], ports[strings.TrimSuffix(t.APIPort, "/tcp")]) {
			if b.HostPort != "" && b.HostPort != "0" {
				return net.JoinHostPort(t.reachable(b.HostIP), b.HostPort), nil
			}
		}
	}
	return "", errors.New("its API server is not published on a host port")
}

// reachable returns the address by which this machine reaches a published one.
func (t Tool) reachable(listens string) string {
	switch {
	case t.AsPublished:
	case listens == "0.0.0.0":
		return "127.0.0.1"
	case listens == "::":
		return "::1"
	}
	return cmp.Or(listens, "127.0.0.1")
}

// IDs returns the IDs of containers, as docker's commands take them.
func IDs(nodes []docker.Container) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.ID
	}
	return list
}
