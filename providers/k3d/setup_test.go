//go:build !windows

package k3d

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

var (
	_ providers.StartStopper = (*Provider)(nil)
	_ providers.ImageLoader  = (*Provider)(nil)
	_ providers.LogExporter  = (*Provider)(nil)
)

func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }

const token = "a-token"

// node returns a container of cluster "lab" whose name is "k3d-lab-" and part, such as
// "server-0", created a day ago.
func node(part, state string) docker.Container {
	c := docker.Container{ID: "id-of-" + part, Name: "k3d-lab-" + part, Created: time.Now().Add(-24 * time.Hour)}
	c.State.Status, c.State.ExitCode = state, 137
	c.HostConfig.RestartPolicy.Name = "unless-stopped"
	role, _, _ := strings.Cut(part, "-")
	if part == "serverlb" {
		role = "loadbalancer"
	}
	c.Config.Labels = map[string]string{"k3d.cluster": "lab", "k3d.role": role, "k3d.cluster.token": token}
	return c
}

// bindings are those of a container with one port published.
func bindings(port, hostIP, hostPort string) map[string][]docker.Binding {
	return map[string][]docker.Binding{port: {{HostIP: hostIP, HostPort: hostPort}}}
}
