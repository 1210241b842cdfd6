package minikube

import (
	"context"
	"errors"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Create creates a cluster. It returns ErrInvalid, ErrUnsupported, ErrExists, ErrUnavailable,
// ErrNotFound if the base image does not exist, or the error of minikube. The logs of a failed
// creation are saved before its nodes are removed.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	spec = nodes.WithDefaults(spec, p.opts.CAFile)
	args, err := p.plan(spec)
	if err != nil {
		return err
	}
	tool, err := p.runner.program(ctx)
	if err != nil {
		return err
	}
	if last(args, "ha") == "true" && tool.version.before(1, 33) {
		err := fault.Errorf(fault.ErrUnsupported, "this version of minikube does not support several control planes")
		return fault.WithHint(err, "install minikube 1.33 or newer: https://minikube.sigs.k8s.io/docs/start/")
	}
	driver := last(args, flagDriver)
	var cache *nodes.Cache
	if takesHosts(args) {
		cache = nodes.FindCache(ctx, p.opts.Cache, spec, report)
	}
	return p.engine.containers().Create(ctx, nodes.Creation{
		Spec: spec, Images: imagesOf(args), Cache: cache, InDocker: driver == driverDocker,
		CheckFree: func(ctx context.Context) error { return p.checkFree(ctx, spec, driver == driverDocker) },
		Adapt: func(ctx context.Context, report event.Reporter) (err error) {
			args, err = p.adapt(ctx, args, tool, report)
			return err
		},
		Run:        func(ctx context.Context, report event.Reporter) error { return p.start(ctx, tool, spec, args, report) },
		Finish:     func(ctx context.Context) error { return p.finish(ctx, spec.Name, args, cache, report) },
		ExportLogs: func(ctx context.Context, dir string) error { return p.exportLogs(ctx, spec.Name, dir) },
		Settings:   settings,
		Remove:     func(ctx context.Context, failed error, _ bool) error { return p.undo(ctx, tool, spec, driver, failed) },
	}, report)
}

// plan translates spec, and checks the files that it names.
func (p *Provider) plan(spec providers.Spec) ([]string, error) {
	args, err := p.opts.argsFor(spec)
	if err != nil {
		return nil, err
	}
	return args, checkFiles(spec)
}

// NodeImages implements [providers.NodeImager]. It returns ErrUnsupported if minikube chooses the
// image.
func (p *Provider) NodeImages(spec providers.Spec) ([]string, error) {
	args, err := p.opts.argsFor(spec)
	if err != nil || last(args, flagDriver) != driverDocker {
		return nil, err
	}
	images := imagesOf(args)
	if len(images) == 0 {
		err := fault.Errorf(fault.ErrUnsupported, "only minikube knows which image it creates nodes from")
		return nil, fault.WithHint(err, "name the image: export %s=IMAGE", imageVariable)
	}
	return nodes.Names(images), nil
}

// Downloads implements [providers.Downloader].
func (p *Provider) Downloads() string { return "the programs and images of Kubernetes" }

// imagesOf returns the image of the nodes if args name it: otherwise minikube alone knows it,
// and pulls it.
func imagesOf(args []string) []nodes.Image {
	if image := last(args, flagBaseImage); image != "" && last(args, flagDriver) == driverDocker {
		return nodes.Images(imageVariable, image)
	}
	return nil
}

// adapt returns args as the engine needs them.
func (p *Provider) adapt(ctx context.Context, args []string, tool program, report event.Reporter) ([]string, error) {
	p.opts.warnOfMirrors(args, report)
	if last(args, flagDriver) != driverDocker {
		return args, nil
	}
	if err := checkProxy(); err != nil {
		return nil, err
	}
	allow := func() (changed bool) {
		args, changed = withCgroupV1(args, tool.version)
		return changed
	}
	err := nodes.Adapt(ctx, nodes.KubeadmMemory, allow, report)
	return args, err
}

// start has minikube create and start the nodes.
func (p *Provider) start(ctx context.Context, tool program, spec providers.Spec, args []string, report event.Reporter) error {
	defer p.home.takeCertificateBack(spec.Name)
	if err := p.home.lendCertificate(spec); err != nil {
		return err
	}
	l, end := steps(report)
	var meanwhile sync.WaitGroup // with minikube's later steps
	defer meanwhile.Wait()
	l.afterKubeadm = func() {
		if last(args, flagDriver) == driverDocker && !without(args).DNS {
			meanwhile.Go(func() { quickDNS(ctx, spec) })
		}
	}
	err := p.runner.run(ctx, tool, spec.Name, l, startArgs(args...)...)
	end(err)
	return err
}

// quickDNS makes DNS ready earlier. A failure only means that DNS takes longer.
func quickDNS(ctx context.Context, spec providers.Spec) {
	_ = nodes.QuickDNS(ctx, spec.Name, spec.ControlPlanes+spec.Workers, "sh", "-c",
		`exec "$(ls -d /var/lib/minikube/binaries/*/kubectl | tail -n 1)" --kubeconfig=/etc/kubernetes/admin.conf "$@"`, "kubectl")
}

// finish has the nodes use the mirrors of registries, if minikube itself cannot. What nodes run
// before comes from minikube's own cache.
func (p *Provider) finish(ctx context.Context, name string, args []string, cache *nodes.Cache, report event.Reporter) error {
	if len(cache.Mirrors(p.opts.Registries)) == 0 || !takesHosts(args) {
		return nil
	}
	tool := p.engine.containers()
	found, err := tool.Find(ctx, name)
	if err != nil {
		return err
	}
	network, own := tool.Network(found[0])
	if !own {
		network = "" // one that the user chose
	}
	return cache.SetMirrors(ctx, network, found, p.opts.Registries, report)
}

// startArgs returns the arguments of `minikube start`. lab's own are last, so they override
// others.
func startArgs(args ...string) []string {
	return append(append([]string{"start"}, args...), "--interactive=false", "--output=json")
}

// undo removes what a failed creation left.
func (p *Provider) undo(ctx context.Context, tool program, spec providers.Spec, driver string, failed error) error {
	if errors.Is(failed, fault.ErrExists) {
		return nil // another minikube is working on the name, and this one did not start
	}
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	ref := providers.Ref{Provider: Name, Name: spec.Name, Mark: spec.Mark}
	if errors.Is(p.checkProfile(ctx, ref), fault.ErrForeign) {
		return nil // another minikube took the name first
	}
	return p.remove(ctx, tool, ref, driver)
}
