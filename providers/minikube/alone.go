package minikube

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
)

// Alone implements [providers.Comparable]: `minikube start` with the driver, runtime, image and
// configuration that lab uses, and with minikube's own waits.
func (p *Provider) Alone(ctx context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	tool, err := p.runner.program(ctx)
	if err != nil {
		return providers.Alone{}, err
	}
	args, err := p.plan(spec)
	if err != nil {
		return providers.Alone{}, err
	}
	if args, err = p.adapt(ctx, args, tool, nil); err != nil {
		return providers.Alone{}, err
	}
	args = slices.DeleteFunc(args, func(arg string) bool { return arg == waitForAPI })
	profile, kubeconfig := "--profile="+spec.Name, filepath.Join(dir, "kubeconfig")
	env := []string{"KUBECONFIG=" + kubeconfig, "MINIKUBE_IN_STYLE=false", "MINIKUBE_WANTUPDATENOTIFICATION=false"}
	if p.opts.Home != "" {
		env = append(env, "MINIKUBE_HOME="+p.opts.Home)
	}
	start := slices.Concat([]string{tool.path, "start", profile}, args, []string{"--interactive=false"})
	return providers.Alone{
		Tool: Name, Version: []string{tool.path, "version", "--short"}, Env: env, Kubeconfig: kubeconfig,
		Create: [][]string{start}, Delete: []string{tool.path, "delete", profile},
	}, nil
}
