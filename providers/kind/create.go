package kind

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
	"github.com/clusterlab-dev/lab/providers/internal/scratch"
)

// Create makes the cluster. It returns ErrInvalid, ErrUnsupported, ErrExists or
// ErrUnavailable, ErrNotFound where there is no such node image, or an error with the
// last words of what failed in the nodes, whose logs it saves before it removes them.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	spec.CAFile = cmp.Or(spec.CAFile, p.opts.CAFile)
	spec.Mark = cmp.Or(spec.Mark, rand.Text()) // a failed creation is removed by its mark
	config, err := configFor(spec, p.opts.NodeImage)
	if err == nil {
		err = nodes.CheckFiles(spec, sources(config)...)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	if err := checkFree(ctx, config); err != nil {
		return err
	}
	if len(p.opts.Registries) > 0 {
		config.ContainerdConfigPatches = append(config.ContainerdConfigPatches, patchMirrors)
	}
	report = report.For(spec.Name)
	if native, err := parseNative(spec.Native); err == nil {
		nodes.WarnName(report, Name, native.Name, spec.Name)
	}
	if err := adapt(ctx, config, report); err != nil {
		return err
	}
	if err := nodes.Pull(ctx, imagesOf(config), imageVariable, report); err != nil {
		return err
	}
	if err := checkFree(ctx, config); err != nil { // again: a pull takes minutes, in which others work, too
		return err
	}
	if err := scratch.Make(p.scratch(spec.Name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return p.make(ctx, config, spec, report)
}

// checkFree returns ErrExists where a cluster of that name is there, or a container that
// is in its way.
func checkFree(ctx context.Context, config *v1alpha4.Cluster) error {
	return containers().CheckFree(ctx, config.Name, config.Name+"-", namesOf(config))
}

// adapt makes config fit for the engine, and says so where a person should know.
func adapt(ctx context.Context, config *v1alpha4.Cluster, report event.Reporter) error {
	engine, err := docker.Ping(ctx)
	if err != nil {
		return err
	}
	nodes.WarnMemory(engine, report)
	if engine.CgroupV1 && forCgroupV1(config) {
		nodes.WarnCgroupV1(report)
	}
	return nil
}

// make has kind make the cluster. kind knows no context, so it works on the side, and is
// ended by taking away the nodes that it works on.
func (p *Provider) make(ctx context.Context, config *v1alpha4.Cluster, spec providers.Spec, report event.Reporter) error {
	log := &steps{report: report}
	result := make(chan error, 1)
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		result <- tool(log).Create(config.Name,
			cluster.CreateWithV1Alpha4Config(config),
			cluster.CreateWithRetain(true), // for the logs; undo removes it
			cluster.CreateWithKubeconfigPath(filepath.Join(p.scratch(config.Name), "kubeconfig")))
	}()
	died, stop := containers().Watch(ctx, config.Name)
	var err error
	select {
	case err = <-result:
		if ctx.Err() == nil {
			err = explain(err, log.started())
		}
	case err = <-died:
	case <-ctx.Done():
	}
	stop()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	log.close(err)
	if err == nil {
		err = report.Do("Waiting for the API server", func(step *event.Step) error { return containers().AwaitAPI(ctx, config.Name, step) })
	}
	if err == nil {
		err = p.finish(ctx, config.Name)
	}
	if err == nil {
		return nil
	}
	planned := len(namesOf(config))
	if errors.Is(err, fault.ErrExists) { // so one of them will never come
		planned--
		if !log.started() { // kind looked before it began
			planned = 0
		}
	}
	return p.undo(ctx, spec, planned, returned, err)
}

// finish does to a cluster what kind has no word for.
func (p *Provider) finish(ctx context.Context, name string) error {
	found, err := containers().Find(ctx, name)
	if err != nil {
		return err
	}
	return errors.Join(nodes.Mirror(ctx, containers().Workers(found), p.opts.Registries), p.Forget(name))
}

// refOf returns what the nodes of a creation are known by: the mark alone.
func refOf(spec providers.Spec) providers.Ref {
	return providers.Ref{Provider: Name, Name: spec.Name, Mark: spec.Mark}
}

// undo removes what a creation left that failed, and returns why it failed, with
// the place where its logs are. Another program may have been faster, for the first
// node or for a later one: nodes without the creation's mark stay.
func (p *Provider) undo(ctx context.Context, spec providers.Spec, planned int, returned <-chan struct{}, failed error) error {
	ref := refOf(spec)
	cut, taken := ctx.Err() != nil, errors.Is(failed, fault.ErrExists)
	if !taken {
		tool := containers()
		if len(spec.Native) > 0 {
			tool.Settings = settings
		}
		failed = tool.WithLogs(ctx, ref.Name, spec.LogsDir, failed, func(ctx context.Context, dir string) error {
			return p.ExportLogs(ctx, ref, dir)
		})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepWithin)
	defer cancel()
	err := errors.Join(sweep(ctx, ref, planned, !cut, returned), p.Forget(ref.Name))
	if err != nil {
		return fmt.Errorf("%w\ncannot remove all leftovers: %w", failed, err)
	}
	return failed
}

// Forget removes what kind wrote for a cluster on this machine, and the directory that
// all clusters share, once it is empty. A name that lab would not give has nothing there,
// and might lead to another place.
func (p *Provider) Forget(name string) error {
	if providers.ValidateName(name) != nil {
		return nil
	}
	return scratch.Remove(p.scratch(name))
}
