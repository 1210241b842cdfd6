package kind

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Alone implements [providers.Comparable]. lab uses kind's library, so the program kind may be
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
	file, kubeconfig := filepath.Join(dir, "kind.yaml"), filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return providers.Alone{}, err
	}
	return providers.Alone{
		Tool: Name, Version: []string{program, "version"}, Kubeconfig: kubeconfig,
		Create: [][]string{{program, "create", "cluster", "--name=" + spec.Name, "--config=" + file, "--kubeconfig=" + kubeconfig}},
		Delete: []string{program, "delete", "cluster", "--name=" + spec.Name, "--kubeconfig=" + kubeconfig},
	}, nil
}
