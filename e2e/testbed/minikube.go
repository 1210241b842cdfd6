//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// minikubeHome is MINIKUBE_HOME. Its cache contains Kubernetes.
func (b bed) minikubeHome() string { return filepath.Join(b.dir, ".minikube") }

// minikubeCache puts Kubernetes into minikube's cache, so that minikube does not download it.
func (b bed) minikubeCache() steps.Step {
	return steps.Step{
		Name: "minikube-cache", Lane: "files", Needs: []string{"lab-node"},
		Make: func(_ context.Context, key string, _ io.Writer) (string, error) {
			dir := filepath.Join(b.minikubeHome(), "cache", runtime.GOOS, runtime.GOARCH, programs.Kubernetes)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return "", err
			}
			for _, name := range []string{"kubeadm", "kubectl", "kubelet"} {
				err := os.Symlink(filepath.Join(b.dir, "bin", "lab-node"), filepath.Join(dir, name))
				if err != nil && !errors.Is(err, fs.ErrExist) {
					return "", err
				}
			}
			return key, nil
		},
	}
}

// minikubeArgs returns the flags that keep minikube from pulling images.
func minikubeArgs() []string {
	args := []string{"--preload=false", "--cache-images=false"}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil {
		args = append(args, "--extra-config=kubelet.fail-cgroupv1=false") // the kubelet rejects cgroup v1 by default
	}
	return args
}
