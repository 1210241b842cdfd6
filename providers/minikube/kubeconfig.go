package minikube

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Kubeconfig returns the kubeconfig that minikube would write, with the contents of the
// profile's files. If the API server is not published on this machine, as for stopped clusters,
// its address is that in the network of the nodes.
func (p *Provider) Kubeconfig(ctx context.Context, ref providers.Ref) ([]byte, error) {
	name := ref.Name
	ctx, _, err := p.own(ctx, ref)
	if ignoreNotFound(err) != nil {
		return nil, err
	}
	containers, found := p.engine.containers().Find(ctx, name)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case p.home.hasProfile(name):
	case found == nil:
		return nil, incomplete(name, errors.New("it has no profile in "+string(p.home)))
	default:
		return nil, found
	}
	config, err := p.home.profile(name)
	if err != nil {
		return nil, incomplete(name, err)
	}
	if config.Driver == driverDocker && ignoreNotFound(found) != nil {
		return nil, found
	}
	at, err := p.reach(config, containers)
	if err != nil {
		return nil, incomplete(name, err)
	}
	access, err := p.home.access(name)
	if err != nil {
		return nil, incomplete(name, err)
	}
	return access.Kubeconfig(p.Entries(name), at)
}

// Entries returns the names that minikube uses.
func (*Provider) Entries(name string) providers.Entries {
	return providers.Entries{Cluster: name, User: name, Context: name}
}

// reach returns the address of the API server: on this machine if it is published, else in the
// network of the nodes.
func (p *Provider) reach(config profile, containers []docker.Container) (string, error) {
	if at, err := p.engine.containers().Address(containers); err == nil {
		return at, nil
	}
	return config.address()
}

// incomplete is [nodes.Incomplete] without the kind of err: a missing profile does not mean that
// the cluster does not exist.
func incomplete(name string, err error) error { return nodes.Incomplete(name, errors.New(err.Error())) }
