package images

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

const K3sNode = "lab-testbed/k3s-node:" + programs.Kubernetes + "-k3s1"

func k3sNode(dir string) steps.Step {
	bin := filepath.Join(dir, "bin")
	return steps.Step{
		Name: "k3s-node", Lane: "docker", Needs: []string{"node-base", "own-k3s"},
		Inputs: func() (string, error) {
			files, err := k3sFiles(bin)
			return steps.Digest(fmt.Sprintf("%+v", files)), err
		},
		Present: func(ctx context.Context, key string) bool { return made(ctx, K3sNode, key) },
		Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			files, err := k3sFiles(bin)
			if err != nil {
				return "", err
			}
			return key, docker{log}.lay(ctx, dir, "k3s-node", files, K3sNode, key,
				`ENTRYPOINT ["/bin/k3s"]`, `CMD ["agent"]`,
				"VOLUME /var", // an overlay cannot be mounted on the overlay of the container's file system
				"ENV KUBECONFIG=/etc/rancher/k3s/k3s.yaml CONTAINERD_NAMESPACE=k8s.io")
		},
	}
}

func k3sFiles(bin string) ([]file, error) {
	files, err := ownFiles("k3s")
	return append(files,
		program(bin, "k3s", "/usr/bin"),
		file{Path: "/usr/bin/sh", Link: "bash"}, // Debian's sh rejects the traps in k3d's entrypoint
		file{Path: "/usr/local/lib/k3s/kubernetes-version", Content: programs.Kubernetes},
	), err
}
