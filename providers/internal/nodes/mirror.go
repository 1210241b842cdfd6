package nodes

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// hostsDir is where containerd looks up the mirrors of a registry at each pull.
const hostsDir = "/etc/containerd/certs.d"

// Mirror is where nodes ask for the images of a registry.
type Mirror struct {
	Address     string        // "registry.corp/docker" or, without TLS, "http://registry.corp:5000"
	DialTimeout time.Duration // 0 is that of containerd
}

// setMirrors configures the mirrors of registries, by their hosts, for containerd in the nodes. A
// node in which the user mounts that configuration keeps it.
func setMirrors(ctx context.Context, nodes []docker.Container, registries map[string][]Mirror) error {
	if len(registries) == 0 {
		return nil
	}
	files := map[string]string{}
	for host, mirrors := range registries {
		files[path.Join(hostsDir, host, "hosts.toml")] = hostsFile(host, mirrors)
	}
	for _, n := range nodes {
		if mountsHosts(n) {
			continue // the files would be written on this machine
		}
		if err := docker.WriteFiles(ctx, n.ID, files); err != nil {
			return fmt.Errorf("node %s: %w", n.Name, err)
		}
	}
	return nil
}

// mountsHosts reports whether a directory of this machine is mounted where containerd's
// configuration of mirrors is.
func mountsHosts(n docker.Container) bool {
	for _, bind := range n.HostConfig.Binds {
		parts := strings.Split(bind, ":")
		for _, at := range parts[1:] {
			if strings.HasPrefix(hostsDir+"/", strings.TrimSuffix(at, "/")+"/") || strings.HasPrefix(at, hostsDir+"/") {
				return true
			}
		}
	}
	return false
}

// hostsFile returns containerd's configuration for a registry. containerd asks the mirrors in
// their order, and the registry itself if none answers with the image.
func hostsFile(host string, mirrors []Mirror) string {
	if host == "docker.io" {
		host = "registry-1.docker.io" // by which it goes, other than by its name in images
	}
	text := fmt.Sprintf("server = \"https://%s\"\n", host)
	for _, m := range mirrors {
		text += "\n" + m.table()
	}
	return text
}

// table returns the table of a mirror in the configuration of its registry.
func (m Mirror) table() string {
	address := m.Address
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	scheme, rest, _ := strings.Cut(address, "://")
	at, below, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	override := ""
	if below != "" {
		at, override = at+"/v2/"+below, "  override_path = true\n"
	}
	text := fmt.Sprintf("[host.\"%s://%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", scheme, at) + override
	if m.DialTimeout > 0 {
		text += fmt.Sprintf("  dial_timeout = %q\n", m.DialTimeout)
	}
	return text
}
