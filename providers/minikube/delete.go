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

// sweepWithin bounds the removal of a cluster that could not be finished.
const sweepWithin = 2 * time.Minute

// authorizedKeys are the keys that a node lets in.
const authorizedKeys = "/home/docker/.ssh/authorized_keys"

// Delete removes the cluster with its volumes, its network and its profile. Where its
// nodes are containers that is done without minikube, which would leave the network of
// several nodes, and make the user forget which profile they were at.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	if err := p.endAnother(ref.Name); err != nil {
		return err
	}
	ctx, _, err := p.own(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) {
		// A volume may have come late. An engine that does not answer has none that matters.
		if left := p.sweep(ctx, ref.Name); left != nil && !errors.Is(left, fault.ErrUnavailable) {
			return left
		}
		return err
	}
	if err != nil {
		return err
	}
	config, err := p.profile(ref.Name)
	if err != nil { // half-made, before there was a machine, or unreadable
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

// Forget ends a minikube that outlived the lab which started it, and removes what it was
// lent.
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

// remove removes all there is of a cluster. It can be called again. minikube knows a
// machine by its name alone, so the profile is looked at directly before.
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

// checkProfile returns the error of [providers.Ref.Check] for the profile of this moment.
// One that is gone is no error.
func (p *Provider) checkProfile(ctx context.Context, ref providers.Ref) error {
	if !p.hasProfile(ref.Name) {
		return nil
	}
	c := providers.Cluster{Name: ref.Name, Provider: Name, ID: p.identity(ref.Name)}
	p.setMark(ctx, &c, false)
	return ref.Check(c)
}

// sweep removes what the Docker Engine has of a cluster, until there is nothing: what was
// on its way when minikube was ended may only just have come. Nodes that another home of
// minikube made stay, with their volumes and their network.
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

// isOfAnotherHome reports whether a node was made by a minikube with another home: each
// home has keys of its own, and lets the key of a machine into its node. A node that has
// no key yet is taken for one of this home.
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

// inUse adds to the error of a network what helps where a container is in it that is
// somebody else's.
func inUse(network string, err error) error {
	if !strings.Contains(err.Error(), "has active endpoints") {
		return err
	}
	return fault.WithHint(err, "list the containers in the network: docker network inspect %s; disconnect them: docker network disconnect --force %s CONTAINER; then run this command again",
		network, network)
}

// volumes returns the volumes of a cluster whose nodes are removed, each of which had one
// of its own name. One that a node has still is somebody else's.
func (p *Provider) volumes(ctx context.Context, cluster string) ([]string, error) {
	volumes, err := docker.Labelled(ctx, docker.Volume, label)
	if err != nil {
		return nil, err
	}
	others, err := docker.Names(ctx, cluster)
	isNode := p.nodesOf(cluster)
	return slices.DeleteFunc(volumes, func(v string) bool { return !isNode(v) || slices.Contains(others, v) }), err
}

// nodesOf returns what tells the names of a cluster's nodes from others.
func (p *Provider) nodesOf(cluster string) func(string) bool {
	node := regexp.MustCompile(`^` + regexp.QuoteMeta(cluster) + `-m[0-9]{2,}$`)
	return func(name string) bool { return name == cluster || node.MatchString(name) && !p.hasProfile(name) }
}

// forgetFiles removes the files of a cluster, and of a minikube that was ended.
func (p *Provider) forgetFiles(name string) error {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return fmt.Errorf("invalid profile name %q", name)
	}
	p.takeCertificateBack(name)
	p.forget(name)
	errs := []error{os.RemoveAll(p.profileDir(name))}
	machines, _ := os.ReadDir(p.machinesDir()) // not there where none was ever made
	isNode := p.nodesOf(name)
	for _, m := range machines {
		if isNode(m.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(p.machinesDir(), m.Name())))
		}
	}
	return errors.Join(errs...)
}
