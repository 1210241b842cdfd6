package kind

import (
	"context"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Alone implements [providers.Comparable]. lab uses kind's library, so the program kind may be
// missing, or have another version.
func (p *Provider) Alone(ctx context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	program, file, err := nodes.PrepareAlone(ctx, p, spec, dir, p.plan, allowCgroupV1, yaml.Marshal)
	if err != nil {
		return providers.Alone{}, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	return providers.Alone{
		Tool: Name, Version: []string{program, "version"}, Kubeconfig: kubeconfig,
		Create: [][]string{{program, "create", "cluster", "--name=" + spec.Name, "--config=" + file, "--kubeconfig=" + kubeconfig}},
		Delete: []string{program, "delete", "cluster", "--name=" + spec.Name, "--kubeconfig=" + kubeconfig},
	}, nil
}
