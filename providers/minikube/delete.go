package minikube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// sweepWithin bounds the removal of a cluster whose creation failed.
const sweepWithin = 2 * time.Minute

// authorizedKeys is the file of the keys that a node accepts.
const authorizedKeys = "/home/docker/.ssh/authorized_keys"

// Delete deletes the cluster with its volumes, its network and its profile. If its nodes are
// containers, it does not use minikube, which leaves the network of several nodes and changes
// the user's current profile.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	if err := p.endAnother(ref.Name); err != nil {
		return err
	}
	ctx, _, err := p.own(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) {
		// A volume may have appeared late. An engine that does not answer has no leftovers that matter.
		if left := p.sweep(ctx, ref.Name); left != nil && !errors.Is(left, fault.ErrUnavailable) {
			return left
		}
		return err
	}
	if err != nil {
		return err
	}
	config, err := p.profile(ref.Name)
	if err != nil { // incomplete or unreadable
		return p.remove(ctx, program{}, ref, driverDocker)
	}
	tool := program{}
	if config.Driver != driverDocker {
		if tool, err = p.program(ctx); err != nil {
			return err
		}
	}
	return p.remove(ctx, tool, ref, config.Driver)
}

// Forget ends a minikube that outlived the lab which started it, and removes its temporary
// files.
func (p *Provider) Forget(name string) error {
	if err := p.endAnother(name); err != nil {
		return err
	}
	p.takeCertificateBack(name)
	p.forget(name)
	return nil
}

func (p *Provider) endAnother(name string) error {
	return endOther(p.lockFile(name), kubeconfigVariable(p.scratch(name)), p.lingers)
}

// remove removes everything of a cluster. It can be called again. minikube identifies a machine
// by name, so remove checks the profile directly before.
func (p *Provider) remove(ctx context.Context, tool program, ref providers.Ref, driver string) error {
	var err error
	if driver == driverDocker {
		err = p.sweep(ctx, ref.Name)
	} else if err = p.checkProfile(ctx, ref); err == nil {
		err = p.run(ctx, tool, ref.Name, quiet(), "delete", "--output=json")
	}
	if err == nil {
		err = p.checkProfile(ctx, ref)
	}
	if err != nil {
		return err
	}
	return p.forgetFiles(ref.Name)
}

// checkProfile returns the error of [providers.Ref.Check] for the current profile, and nil if
// none exists.
func (p *Provider) checkProfile(ctx context.Context, ref providers.Ref) error {
	if !p.hasProfile(ref.Name) {
		return nil
	}
	c := providers.Cluster{Name: ref.Name, Provider: Name, ID: p.identity(ref.Name)}
	p.setMark(ctx, &c, false)
	return ref.Check(c)
}

// sweep removes the objects of a cluster from the Docker Engine until none is left: some may
// appear after minikube was ended. Nodes of a minikube with another home stay, with their
// volumes and their network.
func (p *Provider) sweep(ctx context.Context, name string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := p.containers().Find(ctx, name)
		if ignoreNotFound(err) != nil {
			return err
		}
		own := slices.DeleteFunc(slices.Clone(found), func(c docker.Container) bool { return p.isOfAnotherHome(ctx, c) })
		if err := docker.Remove(ctx, nodes.IDs(own)...); err != nil {
			return err
		}
		volumes, err := p.volumes(ctx, name)
		if err != nil {
			return err
		}
		var networks []string
		if len(own) == len(found) {
			if networks, err = p.networks(ctx, name); err != nil {
				return err
			}
		}
		if len(own)+len(volumes)+len(networks) == 0 {
			return nil
		}
		if err := docker.RemoveAll(ctx, docker.Volume, volumes...); err != nil {
			return err
		}
		if err := docker.RemoveAll(ctx, docker.Network, networks...); err != nil {
			return inUse(name, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// isOfAnotherHome reports whether a node was created by a minikube with another home: each home
// has its own keys, and a node accepts the key of its machine. A node without a key counts as
// one of this home.
func (p *Provider) isOfAnotherHome(ctx context.Context, c docker.Container) bool {
	key, err := os.ReadFile(filepath.Join(p.machinesDir(), filepath.Base(c.Name), "id_rsa.pub"))
	if err != nil {
		return false
	}
	let, err := docker.ReadFile(ctx, c.ID, authorizedKeys)
	return err == nil && !bytes.Contains(let, bytes.TrimSpace(key))
}

// networks returns the IDs of the networks of a cluster.
func (p *Provider) networks(ctx context.Context, name string) ([]string, error) {
	found, err := docker.Networks(ctx, label+"="+name)
	ids := make([]string, len(found))
	for i, network := range found {
		ids[i] = network.ID
	}
	return ids, err
}

// inUse adds a hint to the error of a network that contains a container of another program.
func inUse(network string, err error) error {
	if !strings.Contains(err.Error(), "has active endpoints") {
		return err
	}
	return fault.WithHint(err, "list the containers in the network: docker network inspect %s; disconnect them: docker network disconnect --force %s CONTAINER; then run this command again",
		network, network)
}

// volumes returns the volumes of a cluster whose nodes are removed: each node had one of its
// name. A volume that a node still uses belongs to another cluster.
func (p *Provider) volumes(ctx context.Context, cluster string) ([]string, error) {
	volumes, err := docker.Labelled(ctx, docker.Volume, label)
	if err != nil {
		return nil, err
	}
	others, err := docker.Names(ctx, cluster)
	isNode := p.nodesOf(cluster)
	return slices.DeleteFunc(volumes, func(v string) bool { return !isNode(v) || slices.Contains(others, v) }), err
}

// nodesOf returns a function that reports whether a name is that of a node of a cluster.
func (p *Provider) nodesOf(cluster string) func(string) bool {
	node := regexp.MustCompile(`^` + regexp.QuoteMeta(cluster) + `-m[0-9]{2,}$`)
	return func(name string) bool { return name == cluster || node.MatchString(name) && !p.hasProfile(name) }
}

// forgetFiles removes the files of a cluster, and those of an ended minikube.
func (p *Provider) forgetFiles(name string) error {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return fmt.Errorf("invalid profile name %q", name)
	}
	p.takeCertificateBack(name)
	p.forget(name)
	errs := []error{os.RemoveAll(p.profileDir(name))}
	machines, _ := os.ReadDir(p.machinesDir()) // none if it does not exist
	isNode := p.nodesOf(name)
	for _, m := range machines {
		if isNode(m.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(p.machinesDir(), m.Name())))
		}
	}
	return errors.Join(errs...)
}
