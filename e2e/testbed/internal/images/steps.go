package images

import (
	"context"
	"io"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// Steps are the steps that make every image, from the programs in dir/bin. They need a step "packages" after which
// mmdebstrap is on PATH, and a step "engine" after which a Docker Engine answers.
func Steps(dir string) []steps.Step {
	bin := filepath.Join(dir, "bin")
	cluster, host := clusterImages(bin), hostImages(bin)
	all := []steps.Step{
		debian(dir, "node-root", "minbase", nodePackages, nodeHook),
		debian(dir, "small-root", "extract", smallPackages, ""),
		node(dir, cluster),
		kindNode(dir),
		minikubeBase(dir),
		k3sNode(dir),
	}
	for _, r := range slices.Concat(cluster, host) {
		all = append(all, r.step(dir))
	}
	for _, r := range host {
		all = append(all, load(dir, r))
	}
	return all
}

// load puts a recipe's archive into the Docker Engine, from where tests load it into clusters.
func load(dir string, r recipe) steps.Step {
	tag := r.Tags(names{})[0]
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
