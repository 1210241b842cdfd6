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

// minikubeHome holds minikube's own files, and its cache, in which Kubernetes is laid out beforehand.
func (b bed) minikubeHome() string { return filepath.Join(b.dir, ".minikube") }

// minikubeCache lays Kubernetes where minikube would otherwise download it to.
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

// minikubeArgs are the flags without which minikube looks for images that it could not pull.
func minikubeArgs() []string {
	args := []string{"--preload=false", "--cache-images=false"}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil {
		args = append(args, "--extra-config=kubelet.fail-cgroupv1=false") // cgroup v1, which the kubelet refuses by default
	}
	return args
}
