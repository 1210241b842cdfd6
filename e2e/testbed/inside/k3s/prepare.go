//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

const registries = "/etc/rancher/k3s/registries.yaml"

// prepare creates the directories that pods and k3d need, and converts k3s's file of registry mirrors, which k3d
// writes, to containerd's format.
func (n *node) prepare() error {
	for _, dir := range []string{"/etc/kubernetes/manifests", "/var/lib/kubelet", manifests, "/opt/cni/bin"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := n.followAddress(); err != nil {
		return err
	}
	data, err := os.ReadFile(registries)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var config struct {
		Mirrors map[string]struct {
			Endpoint []string `json:"endpoint"`
		} `json:"mirrors"`
	}
	if err := yaml.Unmarshal(data, &config); err != nil {
		return fmt.Errorf("%s: %w", registries, err)
	}
	for host, mirror := range config.Mirrors {
		var hosts strings.Builder
		for _, endpoint := range mirror.Endpoint {
			fmt.Fprintf(&hosts, "[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", endpoint)
		}
		dir := filepath.Join("/etc/containerd/certs.d", host)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "hosts.toml"), []byte(hosts.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
