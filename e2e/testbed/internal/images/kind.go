package images

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"os"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/shell"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// KindNode is kind's node image. `kind create cluster --image` needs nothing else.
const KindNode = "lab-testbed/kind-node:" + programs.Kubernetes

const kindEntrypoint = `ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]`

func kindNode(dir string) steps.Step {
	return steps.Step{
		Name: "kind-node", Lane: "docker", Needs: []string{"node-base"},
		Inputs: func() (string, error) {
			own, err := kindFiles()
			return steps.Digest(programs.Kind, fmt.Sprintf("%+v", own)), err
		},
		Present: func(ctx context.Context, key string) bool { return made(ctx, KindNode, key) },
		Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			files, err := kindBase(ctx, filepath.Join(dir, "bin"), log)
			if err != nil {
				return "", err
			}
			return key, docker{log}.lay(ctx, dir, "kind-node", files, KindNode, key, kindEntrypoint)
		},
	}
}

// lay creates the image tag from the node base and additional files.
func (d docker) lay(ctx context.Context, dir, name string, files []file, tag, key string, changes ...string) error {
	layer, err := writeLayer(dir, name, files)
	if err != nil {
		return err
	}
	container, remove, err := d.container(ctx, []string{"create"}, nodeBase, "true")
	if err != nil {
		return err
	}
	defer remove()
	if err := d.input(ctx, layer, "cp", "-", container+":/"); err != nil {
		return err
	}
	return d.commit(ctx, container, tag, key, changes...)
}

// kindBase returns the files of kind's base image from kind's module, and this project's files.
func kindBase(ctx context.Context, bin string, log io.Writer) ([]file, error) {
	module, err := programs.ModuleDir(ctx, "sigs.k8s.io/kind", programs.Kind, log)
	if err != nil {
		return nil, err
	}
	base := filepath.Join(module, "images/base/files")
	files, err := filesUnder(base, "/usr/local/bin", "/kind/bin")
	if err != nil {
		return nil, err
	}
	images, err := kubeadmImages(ctx, bin)
	if err != nil {
		return nil, err
	}
	containerd, err := kindContainerd(base, images["pause"])
	if err != nil {
		return nil, err
	}
	spec, err := containerSpec(ctx, bin)
	if err != nil {
		return nil, err
	}
	own, err := kindFiles()
	if err != nil {
		return nil, err
	}
	return append(append(files, own...),
		file{Path: "/etc/containerd/config.toml", Content: containerd},
		file{Path: "/etc/containerd/cri-base.json", Content: spec}), nil
}

// kindContainerd returns kind's configuration of containerd, with the pause image of the node.
func kindContainerd(base, pause string) (string, error) {
	data, err := os.ReadFile(filepath.Join(base, "etc/containerd/config.toml"))
	if err != nil {
		return "", err
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(strings.TrimSpace(line), "sandbox_image ") {
			line = fmt.Sprintf("  sandbox_image = %q\n", pause)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ""), nil
}

// containerSpec returns containerd's default spec of a container, with kind's hook and without limits.
func containerSpec(ctx context.Context, bin string) (string, error) {
	out, err := shell.Cmd{}.Output(ctx, filepath.Join(bin, "ctr"), "oci", "spec")
	if err != nil {
		return "", err
	}
	var spec map[string]any
	if err := json.Unmarshal([]byte(out), &spec); err != nil {
		return "", fmt.Errorf("ctr oci spec: %w", err)
	}
	if process, ok := spec["process"].(map[string]any); ok {
		delete(process, "rlimits")
	}
	spec["hooks"] = map[string]any{"createContainer": []any{map[string]any{"path": "/kind/bin/mount-product-files.sh"}}}
	data, err := json.Marshal(spec)
	return string(data), err
}
