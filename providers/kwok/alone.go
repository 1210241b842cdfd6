package kwok

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/clusterlab-dev/lab/providers"
)

// kwokctl is KWOK's own program that creates clusters.
const kwokctl = "kwokctl"

// Alone implements [providers.Comparable] with kwokctl, which runs each component as a
// separate process. kwokctl downloads the components, or uses those that its variables name, such as
// KWOK_KUBE_APISERVER_BINARY. It creates no nodes, so a second command does.
func (p *Provider) Alone(ctx context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	program, err := exec.LookPath(kwokctl)
	if err != nil {
		return providers.Alone{}, providers.NoProgram(kwokctl, p.Describe().Homepage, err)
	}
	version := spec.KubernetesVersion
	if version == "" {
		offered, err := p.Versions(ctx)
		if err != nil {
			return providers.Alone{}, err
		}
		version = offered[0]
	}
	name, kubeconfig := "--name="+spec.Name, filepath.Join(dir, "kubeconfig")
	return providers.Alone{
		Tool: kwokctl, Version: []string{program, "--version"}, Env: []string{"KWOK_KUBE_VERSION=" + version}, Kubeconfig: kubeconfig,
		Create: [][]string{
			{program, "create", "cluster", name, "--runtime=binary", "--wait=60s", "--kubeconfig=" + kubeconfig},
			{program, "scale", "node", name, "--replicas=" + strconv.Itoa(spec.ControlPlanes+spec.Workers)},
		},
		Delete: []string{program, "delete", "cluster", name, "--kubeconfig=" + kubeconfig},
	}, nil
}
