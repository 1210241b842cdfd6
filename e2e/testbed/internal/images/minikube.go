package images

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

const MinikubeBase = "lab-testbed/minikube-base:" + programs.Minikube

func minikubeBase(dir string) steps.Step {
	return steps.Step{
		Name: "minikube-base", Lane: "docker", Needs: []string{"node-base"},
		Inputs: func() (string, error) {
			own, err := minikubeFiles()
			return steps.Digest(programs.Minikube, programs.Kind, fmt.Sprintf("%+v", own)), err
		},
		Present: func(ctx context.Context, key string) bool { return made(ctx, MinikubeBase, key) },
		Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			minikube, err := programs.ModuleDir(ctx, "k8s.io/minikube", programs.Minikube, log)
			if err != nil {
				return "", err
			}
			kind, err := programs.ModuleDir(ctx, "sigs.k8s.io/kind", programs.Kind, log)
			if err != nil {
				return "", err
			}
			own, err := minikubeFiles()
			if err != nil {
				return "", err
			}
			base := filepath.Join(minikube, "deploy/kicbase")
			files := slices.Concat([]file{
				{Path: "/usr/local/bin/entrypoint", Source: filepath.Join(base, "entrypoint"), Mode: 0o755},
				{Path: "/usr/sbin/minikube-automount", Source: filepath.Join(base, "automount/minikube-automount"), Mode: 0o755},
				{Path: "/usr/lib/systemd/system/minikube-automount.service", Source: filepath.Join(base, "automount/minikube-automount.service")},
				{Path: "/etc/containerd/config.toml", Source: filepath.Join(base, "containerd.toml")},
				{Path: "/etc/sysctl.d/10-network-security.conf", Source: filepath.Join(base, "10-network-security.conf")},
				{Path: "/etc/systemd/system/containerd.service",
					Source: filepath.Join(kind, "images/base/files/etc/systemd/system/containerd.service")},
			}, own)
			return key, docker{log}.lay(ctx, dir, "minikube-base", files, MinikubeBase, key,
				`ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]`, "EXPOSE 22")
		},
	}
}

// minikubeFiles returns this project's files in minikube's base image. minikube itself configures and starts
// containerd, and copies Kubernetes into the node if it is missing.
func minikubeFiles() ([]file, error) {
	files, err := ownFiles("minikube")
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr", "crictl"} {
		files = append(files, file{Path: "/usr/bin/" + name, Link: "/usr/local/bin/" + name})
	}
	for _, name := range []string{"kubeadm", "kubectl", "kubelet"} {
		files = append(files, file{Path: "/var/lib/minikube/binaries/" + programs.Kubernetes + "/" + name, Link: "/usr/bin/lab-node"})
	}
	return append(files,
		file{Path: "/etc/systemd/system/multi-user.target.wants/minikube-automount.service", Link: "/usr/lib/systemd/system/minikube-automount.service"},
		file{Path: "/etc/systemd/system/multi-user.target.wants/ssh.service", Link: "/lib/systemd/system/ssh.service"},
		file{Path: "/etc/systemd/system/systemd-binfmt.service", Link: "/dev/null"},
		file{Path: "/etc/kubernetes/manifests", Mode: fs.ModeDir | 0o755},
		file{Path: "/kind", Mode: fs.ModeDir | 0o755}, // the entrypoint stores the product's name here
	), err
}
