package minikube

import (
	"context"
	"errors"
	"os"
	"path/filepath"

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
	containers, found := p.containers().Find(ctx, name)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case p.hasProfile(name):
	case found == nil:
		return nil, incomplete(name, errors.New("it has no profile in "+p.home()))
	default:
		return nil, found
	}
	config, err := p.profile(name)
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
	access, err := p.access(name)
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
	if at, err := p.containers().Address(containers); err == nil {
		return at, nil
	}
	return config.address()
}

// access reads the credentials of a user of the cluster.
func (p *Provider) access(name string) (nodes.Access, error) {
	var a nodes.Access
	for path, content := range map[string]*[]byte{
		filepath.Join(p.home(), "ca.crt"):               &a.CA,
		filepath.Join(p.profileDir(name), "client.crt"): &a.Certificate,
		filepath.Join(p.profileDir(name), "client.key"): &a.Key,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			return a, err
		}
		*content = text
	}
	return a, nil
}

// incomplete is [nodes.Incomplete] without the kind of err: a missing profile does not mean that
// the cluster does not exist.
func incomplete(name string, err error) error { return nodes.Incomplete(name, errors.New(err.Error())) }
