package images

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

const nodeBase = "lab-testbed/node-base:" + programs.Kubernetes

// nodePrograms returns the programs of every node: Kubernetes at the paths that kind and minikube expect, the
// container runtime, and the network plugins.
func nodePrograms(bin string) []file {
	files := []file{program(bin, "lab-node", "/usr/bin"), program(bin, "crictl", "/usr/local/bin"),
		// Precedes Debian's runc on PATH, and executes it.
		{Path: "/usr/local/sbin/runc", Source: filepath.Join(bin, "runc-without-sysresource"), Mode: 0o755}}
	for _, name := range []string{"kubeadm", "kubelet", "kubectl"} {
		files = append(files, file{Path: "/usr/bin/" + name, Link: "lab-node"})
	}
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
		files = append(files, program(bin, name, "/usr/local/bin"))
	}
	for _, name := range []string{"bridge", "firewall", "host-local", "loopback", "portmap", "ptp", "tuning"} {
		files = append(files, program(bin, name, "/opt/cni/bin"))
	}
	return files
}

// node returns the step that builds the base of the flavors' node images: Debian, the programs, and the cluster's
// images, unpacked in containerd, so that nodes need not load them.
func node(dir string, archives []recipe) steps.Step {
	needs := []string{"engine", "node-root", "lab-node", "containerd", "cni", "crictl",
		"own-runc-without-sysresource"}
	for _, r := range archives {
		needs = append(needs, "image-"+r.Name)
	}
	files := nodePrograms(filepath.Join(dir, "bin"))
	return steps.Step{
		Name: "node-base", Lane: "docker", Needs: needs,
		Inputs: func() (string, error) {
			return steps.Digest(fmt.Sprintf("%+v %+v", files, nodeConfig()), preloaded), nil
		},
		Present: func(ctx context.Context, key string) bool { return made(ctx, nodeBase, key) },
		Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			layer, err := writeLayer(dir, "node-programs", files)
			if err != nil {
				return "", err
			}
			archive := filepath.Join(dir, "archives", "node-programs.tar")
			img := image{Tags: []string{"lab-testbed/node-programs:build"}, Config: nodeConfig(),
				Layers: []string{filepath.Join(dir, "layers", "node-root.tar"), layer}}
			if err := img.save(archive); err != nil {
				return "", err
			}
			defer os.Remove(archive) // large, and not needed after loading
			d := docker{log}
			if _, err := d.run(ctx, "load", "--input", archive); err != nil {
				return "", err
			}
			return key, d.preload(ctx, img.Tags[0], nodeBase, key, dir, archives)
		},
	}
}

// nodeConfig contains instructions that tell systemd that it runs in a container, and the engine how to stop systemd.
func nodeConfig() config {
	return config{Env: []string{searchPath, "container=docker"}, StopSignal: "SIGRTMIN+3", Labels: map[string]string{label: "base"}}
}

// preload starts containerd in a container of an image, imports the archives, and commits the container as tag.
func (d docker) preload(ctx context.Context, from, tag, key, dir string, archives []recipe, changes ...string) error {
	// A volume, because an overlay cannot be mounted on the overlay of the container's file system. Mounting needs privileges.
	run := []string{"run", "--detach", "--privileged", "--volume=/build", "--entrypoint="}
	name, remove, err := d.container(ctx, run, from, "sleep", "infinity")
	if err != nil {
		return err
	}
	defer remove()
	if _, err := d.run(ctx, "exec", name, "sh", "-c", "mkdir -p /var/lib/containerd && cp -a /var/lib/containerd/. /build"); err != nil {
		return err
	}
	if _, err := d.run(ctx, "exec", "--detach", name, "containerd", "--root=/build"); err != nil {
		return err
	}
	if err := d.await(ctx, "exec", name, "ctr", "version"); err != nil {
		return err
	}
	for _, r := range archives {
		if err := d.input(ctx, filepath.Join(dir, "archives", r.Name+".tar"), "exec", "--interactive", name,
			"ctr", "--namespace=k8s.io", "images", "import", "-"); err != nil {
			return err
		}
	}
	if _, err := d.run(ctx, "exec", name, "sh", "-c", preloaded); err != nil {
		return err
	}
	return d.commit(ctx, name, tag, key, changes...)
}

// preloaded stops containerd and copies its files into the image. Layers and unpacked images go to a directory that
// nodes share. /var gets only links to them, because it is a volume and Docker copies it file by file for every node.
// The same holds for the files of dpkg.
const preloaded = `set -eu
kill $(pidof containerd)
while pidof containerd >/dev/null; do sleep 0.1; done
cd /build
share() {
  [ -L "$1" ] && return
  mkdir -p "/usr/lib/lab-testbed/$(dirname "$1")"
  cp -a "$1" "/usr/lib/lab-testbed/$1"
  rm -rf "$1"
  ln -s "/usr/lib/lab-testbed/$1" "$1"
}
share io.containerd.content.v1.content
for snapshot in io.containerd.snapshotter.v1.overlayfs/snapshots/*; do share "$snapshot"; done
rm -rf /var/lib/containerd /var/lib/dpkg/info /run/containerd
cp -a /build /var/lib/containerd
sync`

// await repeats a command until it succeeds, for up to 30 s.
func (d docker) await(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := d.run(ctx, args...)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
