package kind

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
	"github.com/clusterlab-dev/lab/providers/internal/scratch"
)

// Create creates a cluster. It returns ErrInvalid, ErrUnsupported, ErrExists, ErrUnavailable,
// ErrNotFound if the node image does not exist, or an error that says why a node failed. The
// logs of a failed creation are saved before its nodes are removed.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	spec = nodes.WithDefaults(spec, p.opts.CAFile)
	config, err := p.plan(spec)
	if err != nil {
		return err
	}
	quicken(config)
	cache := p.cacheFor(ctx, spec, config, report)
	if len(cache.Mirrors(p.opts.Registries)) > 0 {
		config.ContainerdConfigPatches = append(config.ContainerdConfigPatches, patchMirrors)
	}
	ref := providers.Ref{Provider: Name, Name: spec.Name, Mark: spec.Mark}
	w := &work{provider: p, config: config, ref: ref, log: &steps{report: report.For(spec.Name)}, returned: make(chan struct{})}
	return containers().Create(ctx, nodes.Creation{
		Spec: spec, Named: namedIn(spec.Native), Images: imagesOf(config), Cache: cache,
		InDocker: true, AwaitAPI: true,
		CheckFree: func(ctx context.Context) error {
			return containers().CheckFree(ctx, config.Name, config.Name+"-", namesOf(config))
		},
		Adapt: func(ctx context.Context, report event.Reporter) error {
			return nodes.Adapt(ctx, nodes.KubeadmMemory, func() bool { return allowCgroupV1(config) }, report)
		},
		Run:        func(ctx context.Context, _ event.Reporter) error { return w.run(ctx) },
		Finish:     func(ctx context.Context) error { return p.finish(ctx, config.Name, cache, report) },
		ExportLogs: func(ctx context.Context, dir string) error { return p.ExportLogs(ctx, ref, dir) },
		Settings:   settings,
		Remove:     w.remove,
	}, report)
}

// plan translates spec, and checks the files that it mounts.
func (p *Provider) plan(spec providers.Spec) (*v1alpha4.Cluster, error) {
	config, err := configFor(spec, p.opts.NodeImage)
	if err != nil {
		return nil, err
	}
	return config, nodes.CheckFiles(spec, sources(config)...)
}

// work is one creation by kind. kind takes no context, so it runs in its own goroutine,
// and is stopped by the removal of the nodes that it works on.
type work struct {
	provider *Provider
	config   *v1alpha4.Cluster
	ref      providers.Ref // by its mark alone
	log      *steps
	returned chan struct{} // closed when kind has returned
}

// run returns when kind has created the nodes, or when ctx ends while kind goes on.
func (w *work) run(ctx context.Context) error {
	var meanwhile sync.WaitGroup // with kind's later steps
	defer meanwhile.Wait()
	w.log.ended = func(step string) {
		if step == stepControlPlane {
			meanwhile.Go(func() { quickDNS(ctx, w.config) })
		}
	}
	result := make(chan error, 1)
	go func() {
		defer close(w.returned)
		result <- w.createNodes()
	}()
	var err error
	select {
	case err = <-result:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	w.log.close(err)
	return err
}

func (w *work) createNodes() error {
	dir := w.provider.scratch(w.config.Name)
	if err := scratch.Make(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err := tool(w.log).Create(w.config.Name,
		cluster.CreateWithV1Alpha4Config(w.config),
		cluster.CreateWithRetain(true), // for the logs; remove removes the nodes
		cluster.CreateWithKubeconfigPath(filepath.Join(dir, "kubeconfig")))
	return explain(err, w.log.started())
}

// cacheFor returns the image cache for a cluster, or nil. containerd does not start with mirrors
// in its own configuration, which older patches contain, and a directory of mirrors.
func (p *Provider) cacheFor(ctx context.Context, spec providers.Spec, config *v1alpha4.Cluster, report event.Reporter) *nodes.Cache {
	cache := nodes.FindCache(ctx, p.opts.Cache, spec, report)
	patches := slices.Concat(config.ContainerdConfigPatches, config.ContainerdConfigPatchesJSON6902)
	if cache != nil && strings.Contains(strings.Join(patches, "\n"), "mirrors") {
		report.Warn("not using the image cache: the configuration of kind contains mirrors of registries")
		return nil
	}
	return cache
}

// finish has the nodes use the mirrors of registries, and removes the kubeconfig that kind
// wrote. kind's node images contain what nodes run before.
func (p *Provider) finish(ctx context.Context, name string, cache *nodes.Cache, report event.Reporter) error {
	found, err := containers().Find(ctx, name)
	if err != nil {
		return err
	}
	network, _ := containers().Network(found[0])
	err = cache.SetMirrors(ctx, network, containers().Workers(found), p.opts.Registries, report)
	return errors.Join(err, p.Forget(name))
}

// sweepWithin bounds the removal of a cluster whose creation failed.
const sweepWithin = time.Minute

// remove removes the nodes of a creation that failed. Another program may have taken the name
// of the first node or of a later one: nodes without the creation's mark stay.
func (w *work) remove(ctx context.Context, failed error, interrupted bool) error {
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	planned := len(namesOf(w.config))
	if errors.Is(failed, fault.ErrExists) { // then one of the nodes is never created
		planned--
		if !w.log.started() {
			planned = 0
		}
	}
	return errors.Join(w.sweep(ctx, planned, interrupted), w.provider.Forget(w.ref.Name))
}

// sweep removes containers until kind has returned and no more can come. kind returns when the
// first of several nodes fails, while docker still creates the others; and an interrupt ends
// the docker command that asked for a node, but not the engine that creates it. So sweep ends
// when it has seen all planned nodes, or when none has come for [nodes.Straggles]. A single
// node exists when kind returns, or never will, unless kind was interrupted.
func (w *work) sweep(ctx context.Context, planned int, interrupted bool) error {
	seen := map[string]bool{}
	last := time.Now()
	err := docker.Insist(ctx, 100*time.Millisecond, func() (done bool, _ error) {
		over := w.isOver() // before the listing, which may then be complete
		if !over {
			last = time.Now()
		}
		found, err := containers().Own(ctx, w.ref)
		if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign) {
			found, err = nil, nil
		}
		if err == nil {
			err = docker.Remove(ctx, nodes.IDs(found)...)
		}
		for _, n := range found {
			seen[n.ID], last = true, time.Now()
		}
		all := planned <= 1 && !interrupted || len(seen) >= planned || time.Since(last) > nodes.Straggles
		return over && len(found) == 0 && all, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("kind has not stopped after %s", sweepWithin)
	}
	return err
}

// isOver reports whether kind has returned.
func (w *work) isOver() bool {
	select {
	case <-w.returned:
		return true
	default:
		return false
	}
}

// Forget removes what kind wrote for a cluster on this machine, and the directory that all
// clusters share once it is empty. It ignores names that are not valid, which might be paths
// to other directories.
func (p *Provider) Forget(name string) error {
	if providers.ValidateName(name) != nil {
		return nil
	}
	return scratch.Remove(p.scratch(name))
}
