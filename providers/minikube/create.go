package minikube

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Create makes the cluster. It returns ErrInvalid, ErrUnsupported, ErrExists or
// ErrUnavailable, ErrNotFound where there is no such base image, or what minikube says of
// its failure; the logs are saved before what there is is removed.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	spec.Mark = cmp.Or(spec.Mark, strings.ToLower(rand.Text())) // a failed creation is removed by its mark
	args, err := p.argsFor(spec)
	if err == nil {
		err = checkFiles(spec)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	tool, err := p.program(ctx)
	if err != nil {
		return err
	}
	if last(args, "ha") == "true" && tool.version.before(1, 33) {
		err := fault.Errorf(fault.ErrUnsupported, "this version of minikube does not support several control planes")
		return fault.WithHint(err, "install minikube 1.33 or newer: https://minikube.sigs.k8s.io/docs/start/")
	}
	inDocker := last(args, flagDriver) == driverDocker
	if err := p.checkFree(ctx, spec, inDocker); err != nil {
		return err
	}
	report = report.For(spec.Name)
	if inDocker {
		if args, err = p.prepare(ctx, args, tool, report); err != nil {
			return err
		}
		if err := p.checkFree(ctx, spec, inDocker); err != nil { // again: a pull takes minutes, in which others work, too
			return err
		}
	}
	p.warnOfMirrors(args, report)
	return p.make(ctx, tool, spec, args, report)
}

// prepare makes args fit for the engine, and sees to it that it has the image of the
// nodes, where lab knows which.
func (p *Provider) prepare(ctx context.Context, args []string, tool program, report event.Reporter) ([]string, error) {
	engine, err := docker.Ping(ctx)
	if err != nil {
		return nil, err
	}
	// minikube would wait for its SSH server, at a published port, until its time is over.
	if err := docker.CheckReachable(ctx); err != nil {
		return nil, err
	}
	if err := checkProxy(); err != nil {
		return nil, err
	}
	nodes.WarnMemory(engine, report)
	if engine.CgroupV1 {
		var added bool
		if args, added = withCgroupV1(args, tool.version); added {
			nodes.WarnCgroupV1(report)
		}
	}
	if image := last(args, flagBaseImage); image != "" {
		return args, nodes.Pull(ctx, []string{image}, imageVariable, report)
	}
	return args, nil
}

// make has minikube make the cluster, and removes what there is where it cannot.
func (p *Provider) make(ctx context.Context, tool program, spec providers.Spec, args []string, report event.Reporter) error {
	err := p.lendCertificate(spec)
	if err == nil {
		l, end := steps(report)
		err = p.runWatched(ctx, tool, spec.Name, l, startArgs(args...)...)
		end(err)
	}
	p.takeCertificateBack(spec.Name)
	if errors.Is(err, fault.ErrExists) {
		return err // another minikube is at work on the name; this one did not start
	}
	if err == nil && takesHosts(args) {
		err = p.mirror(ctx, spec.Name)
	}
	if ctx.Err() != nil {
		err = ctx.Err() // minikube was quicker
	}
	if err == nil {
		return nil
	}
	return p.undo(ctx, tool, spec, last(args, flagDriver), err)
}

// runWatched runs minikube, and ends it once a node has died: it would go on waiting.
func (p *Provider) runWatched(ctx context.Context, tool program, name string, l *listener, args ...string) error {
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	died, stop := p.containers().Watch(watched, name)
	defer stop()
	go func() {
		select {
		case err := <-died:
			cancel(err)
		case <-watched.Done():
		}
	}()
	err := p.run(watched, tool, name, l, args...)
	if watched.Err() != nil && ctx.Err() == nil {
		return context.Cause(watched)
	}
	return err
}

// startArgs are the arguments of `minikube start`: lab's own come last, and so count.
func startArgs(args ...string) []string {
	return append(append([]string{"start"}, args...), "--interactive=false", "--output=json")
}

// undo removes what a creation left that failed, and returns why it failed, with the place
// where its logs are.
func (p *Provider) undo(ctx context.Context, tool program, spec providers.Spec, driver string, failed error) error {
	ref := providers.Ref{Provider: Name, Name: spec.Name, Mark: spec.Mark}
	containers := p.containers()
	if len(spec.Native) > 0 {
		containers.Settings = settings
	}
	failed = containers.WithLogs(ctx, spec.Name, spec.LogsDir, failed, func(ctx context.Context, dir string) error {
		return p.exportLogs(ctx, spec.Name, dir)
	})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepWithin)
	defer cancel()
	if errors.Is(p.checkProfile(ctx, ref), fault.ErrForeign) {
		return failed // another minikube was faster
	}
	if err := p.remove(ctx, tool, ref, driver); err != nil {
		return fmt.Errorf("%w\ncannot remove all leftovers: %w", failed, err)
	}
	return failed
}
