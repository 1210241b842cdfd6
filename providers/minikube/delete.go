package minikube

import (
	"context"
	"errors"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// sweepWithin bounds the removal of a cluster whose creation failed.
const sweepWithin = 2 * time.Minute

// Delete deletes the cluster with its volumes, its network and its profile. If its nodes are
// containers, it does not use minikube, which leaves the network of several nodes and changes
// the user's current profile.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	if err := p.runner.endAnother(ref.Name); err != nil {
		return err
	}
	ctx, _, err := p.own(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) {
		// A volume may have appeared late. An engine that does not answer has no leftovers that matter.
		if left := p.engine.sweep(ctx, ref.Name); left != nil && !errors.Is(left, fault.ErrUnavailable) {
			return left
		}
		return err
	}
	if err != nil {
		return err
	}
	config, err := p.home.profile(ref.Name)
	if err != nil { // incomplete or unreadable
		return p.remove(ctx, program{}, ref, driverDocker)
	}
	tool := program{}
	if config.Driver != driverDocker {
		if tool, err = p.runner.program(ctx); err != nil {
			return err
		}
	}
	return p.remove(ctx, tool, ref, config.Driver)
}

// Forget ends a minikube that outlived the lab which started it, and removes its temporary
// files.
func (p *Provider) Forget(name string) error {
	if err := p.runner.endAnother(name); err != nil {
		return err
	}
	p.home.takeCertificateBack(name)
	p.runner.forget(name)
	return nil
}

// remove removes everything of a cluster. It can be called again. minikube identifies a machine
// by name, so remove checks the profile directly before.
func (p *Provider) remove(ctx context.Context, tool program, ref providers.Ref, driver string) error {
	var err error
	if driver == driverDocker {
		err = p.engine.sweep(ctx, ref.Name)
	} else if err = p.checkProfile(ctx, ref); err == nil {
		err = p.runner.run(ctx, tool, ref.Name, quiet(), "delete", "--output=json")
	}
	if err == nil {
		err = p.checkProfile(ctx, ref)
	}
	if err != nil {
		return err
	}
	p.runner.forget(ref.Name)
	return p.home.remove(ref.Name)
}

// checkProfile returns the error of [providers.Ref.Check] for the current profile, and nil if
// none exists.
func (p *Provider) checkProfile(ctx context.Context, ref providers.Ref) error {
	if !p.home.hasProfile(ref.Name) {
		return nil
	}
	c := providers.Cluster{Name: ref.Name, Provider: Name, ID: p.home.identity(ref.Name)}
	p.setMark(ctx, &c, false)
	return ref.Check(c)
}
