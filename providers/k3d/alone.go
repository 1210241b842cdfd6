package k3d

import (
	"context"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Alone implements [providers.Comparable]. lab uses k3d's library, so the program k3d may be
// missing, or have another version.
func (p *Provider) Alone(ctx context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	program, file, err := nodes.PrepareAlone(ctx, p, spec, dir, p.plan, allowCgroupV1, yaml.Marshal)
	if err != nil {
		return providers.Alone{}, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	return providers.Alone{
		Tool: Name, Version: []string{program, "version"}, Kubeconfig: kubeconfig,
		Env: []string{"K3D_IMAGE_LOADBALANCER=" + p.opts.LoadBalancerImage, "K3D_IMAGE_TOOLS=" + p.opts.ToolsImage},
		Create: [][]string{
			{program, "cluster", "create", spec.Name, "--config=" + file, "--kubeconfig-update-default=false"},
			{program, "kubeconfig", "write", spec.Name, "--output=" + kubeconfig},
		},
		Delete: []string{program, "cluster", "delete", spec.Name},
	}, nil
}
