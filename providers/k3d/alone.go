package k3d

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Alone implements [providers.Comparable]. lab uses k3d's library, so the program k3d may be
// missing, or have another version.
func (p *Provider) Alone(ctx context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	program, err := exec.LookPath(Name)
	if err != nil {
		return providers.Alone{}, providers.NoProgram(Name, p.Describe().Homepage, err)
	}
	config, err := p.plan(spec)
	if err != nil {
		return providers.Alone{}, err
	}
	if err := nodes.Adapt(ctx, 0, func() bool { return allowCgroupV1(config) }, nil); err != nil {
		return providers.Alone{}, err
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return providers.Alone{}, err
	}
	file, kubeconfig := filepath.Join(dir, "k3d.yaml"), filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return providers.Alone{}, err
	}
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
