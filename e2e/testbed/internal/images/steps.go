package images

import (
	"context"
	"io"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// Steps returns the steps that build every image from the programs in dir/bin. They need a step "packages", which
// installs mmdebstrap, and a step "engine", which starts a Docker Engine.
func Steps(dir string) []steps.Step {
	bin := filepath.Join(dir, "bin")
	cluster, host := clusterImages(bin), hostImages(bin)
	all := []steps.Step{
		debian(dir, "node-root", "minbase", nodePackages, nodeHook),
		debian(dir, "small-root", "extract", smallPackages, smallHook),
		node(dir, cluster),
		kindNode(dir),
		minikubeBase(dir),
		k3sNode(dir),
	}
	for _, r := range slices.Concat(cluster, host) {
		all = append(all, r.step(dir))
	}
	for _, r := range append(host, helloImage(bin)) {
		all = append(all, load(dir, r))
	}
	return all
}

// Workloads returns the steps that build only the workloads for clusters of published images.
func Workloads(dir string) []steps.Step {
	bin := filepath.Join(dir, "bin")
	var all []steps.Step
	for _, r := range []recipe{helloImage(bin), helloNewImage(bin), ingressImage(bin)} {
		all = append(all, r.step(dir), load(dir, r))
	}
	return all
}

// Prune removes images that have lost their tags to newer ones.
func Prune(ctx context.Context) error {
	_, err := docker{}.run(ctx, "image", "prune", "--force", "--filter", "label="+label)
	return err
}

// load returns the step that loads a recipe's archive into the Docker Engine.
func load(dir string, r recipe) steps.Step {
	tag := r.Tags[0]
	return steps.Step{
		Name: "load-" + r.Name, Lane: "docker", Needs: []string{"engine", "image-" + r.Name},
		Present: func(ctx context.Context, _ string) bool {
			_, err := docker{}.run(ctx, "image", "inspect", tag)
			return err == nil
		},
		Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			_, err := docker{log}.run(ctx, "load", "--input", filepath.Join(dir, "archives", r.Name+".tar"))
			return key, err
		},
	}
}
