package nodes

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// hostsDir is where containerd looks up the mirrors of a registry at each pull.
const hostsDir = "/etc/containerd/certs.d"

// Mirror configures mirrors of registries, by their hosts, for containerd in the nodes:
// "registry.corp/docker" or, without TLS, "http://registry.corp:5000".
func Mirror(ctx context.Context, nodes []docker.Container, registries map[string]string) error {
	if len(registries) == 0 {
		return nil
	}
	files := map[string]string{}
	for host, mirror := range registries {
		files[path.Join(hostsDir, host, "hosts.toml")] = hostsFile(host, mirror)
	}
	for _, n := range nodes {
		if err := docker.WriteFiles(ctx, n.ID, files); err != nil {
			return fmt.Errorf("node %s: %w", n.Name, err)
		}
	}
	return nil
}

// hostsFile returns containerd's configuration for a registry. containerd asks the registry
// itself if its mirror does not answer, or lacks an image.
func hostsFile(host, mirror string) string {
	if host == "docker.io" {
		host = "registry-1.docker.io" // by which it goes, other than by its name in images
	}
	if !strings.Contains(mirror, "://") {
		mirror = "https://" + mirror
	}
	scheme, rest, _ := strings.Cut(mirror, "://")
	at, below, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	text := fmt.Sprintf("server = \"https://%s\"\n\n", host)
	if below == "" {
		return text + fmt.Sprintf("[host.\"%s://%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", scheme, at)
	}
	return text + fmt.Sprintf("[host.\"%s://%s/v2/%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n", scheme, at, below)
}
