// Package nodes is what the adapters share whose clusters are containers of a Docker
// Engine: which containers a cluster is made of, in what state they are, where their API
// server is published and what it answers. Each adapter says in a [Tool] how its tool
// marks and publishes them.
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

// Tool says how a tool's clusters are known by their containers.
type Tool struct {
	Flavor  string // the provider's name
	Label   string // of every container; its value is the cluster's name, unless Cluster tells it
	APIPort string // the API server's port in a container: "6443/tcp"

	// Cluster tells which cluster a container with the label is of. It may be nil.
	Cluster func(docker.Container) string

	// ControlPlane tells whether a container runs a control plane. Of several the first
	// by name is the one that began the cluster.
	ControlPlane func(docker.Container) bool

	// Balancer tells whether a container stands before the control planes, and is where
	// the API server is published. It may be nil.
	Balancer func(docker.Container) bool

	// Helper reports whether another container runs no pods. It may be nil.
	Helper func(docker.Container) bool

	// Registry reports whether a helper is a registry that was created with the cluster, which
	// loses images without it. It may be nil.
	Registry func(docker.Container) bool

	// Network tells which network the tool created a container in, or "", and whether the
	// tool creates that network for its clusters, so that Remake may. It may be nil.
	Network func(docker.Container) (name string, own bool)

	// Remake creates a network of a cluster again, as the tool does.
	Remake func(ctx context.Context, network string, nodes []docker.Container) error

	// Rebalance creates the load balancer of a cluster again, and does not start it. It may
	// be nil, as CanRebalance, which tells whether a control plane remembers enough for it.
	Rebalance    func(ctx context.Context, nodes []docker.Container) error
	CanRebalance func(docker.Container) bool

	// Bare tells of which cluster a network is, or "", where a cluster may have a network
	// and no containers. It may be nil.
	Bare func(docker.Object) string

	// AsPublished says that the certificate of the API server names the address that it is
	// published on, such as 0.0.0.0, and not the loopback in its place.
	AsPublished bool

	// Mark tells the mark that a container bears, or "". It may be nil.
	Mark func(docker.Container) string

	// Program is what makes a container a node, by the beginning of its name: "k3s". It is
	// "" where a container ends with it.
	Program string

	// Restart is the policy by which the tool has the engine bring nodes back:
	// "on-failure:1". It is "" where the tool leaves that to a person.
	Restart string

	// Logs tells where the logs of a node are, below the directory into which those of its
	// cluster are saved. It may be nil.
	Logs func(node string) cause.Node

	// Settings names the keys of the tool's own configuration that configure a program of
	// a node. It is nil where nobody gave such a configuration.
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

// Own returns the containers of a cluster by name. It returns ErrNotFound where nothing
// has the name, and the errors of [providers.Ref.Check] where nothing of it is ref's.
func (t Tool) Own(ctx context.Context, ref providers.Ref) ([]docker.Container, error) {
	found, err := t.Find(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	return t.Pick(found, ref)
}

// Pick returns those of the containers of a name that are ref's: the ones that bear its
// mark or, where none does, all of the cluster that ref's first node began. Helpers, which
// bear no mark, count as ref's while that node is there, or nothing of another cluster.
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
		return nil, cmp.Or(ref.Check(c), fault.Errorf(fault.ErrForeign, "none of the containers of this name is of the cluster that lab made"))
	}
	return own, nil
}

// members returns the containers of a name without nodes that bear no mark, where others
// do: somebody copied the labels, as docker run does from an image that docker commit made
// of a node. The tool makes all nodes of a cluster alike.
func (t Tool) members(found []docker.Container) []docker.Container {
	if mark, _ := t.markOf(found); mark == "" {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(n docker.Container) bool {
		return t.Mark(n) == "" && len(t.Workers([]docker.Container{n})) > 0
	})
}

// identify returns what tells whose a cluster is.
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

// markOf returns the mark of a cluster, and whether none of its containers could bear one:
// the helpers of the tool come and go without it.
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

// nameOf returns the name of the cluster that a container is of.
func (t Tool) nameOf(c docker.Container) string {
	if t.Cluster != nil {
		return t.Cluster(c)
	}
	return c.Config.Labels[t.Label]
}

// First returns the container that began the cluster. Its ID is the cluster's identity.
func (t Tool) First(nodes []docker.Container) (docker.Container, bool) {
	i := slices.IndexFunc(nodes, t.ControlPlane)
	if i < 0 {
		return docker.Container{}, false
	}
	return nodes[i], true
}

// Address returns where the API server is published on this machine. It is known of
// stopped clusters too, where the tool has the port picked when it makes the cluster.
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
	// Where Docker Desktop runs the engine elsewhere, it notes what it forwards.
	if forwarded := nodes[i].Config.Labels["desktop.docker.io/ports/"+t.APIPort]; forwarded != "" {
		return forwarded, nil
	}
	for _, ports := range []map[string][]docker.Binding{nodes[i].NetworkSettings.Ports, nodes[i].HostConfig.PortBindings} {
		// What was asked for is kept as it was asked: k3d leaves out the protocol.
		for _, b := range slices.Concat(ports[t.APIPort], ports[strings.TrimSuffix(t.APIPort, "/tcp")]) {
			if b.HostPort != "" && b.HostPort != "0" {
				return net.JoinHostPort(t.reachable(b.HostIP), b.HostPort), nil
			}
		}
	}
	return "", errors.New("its API server is not published on a host port")
}

// reachable returns the address by which this machine reaches one that it listens on.
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

// IDs returns the identities of containers, as docker's commands take them.
func IDs(nodes []docker.Container) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.ID
	}
	return list
}
