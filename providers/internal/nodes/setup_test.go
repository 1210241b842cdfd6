//go:build !windows

package nodes

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }

const apiPort = "6443/tcp"

// tool returns a tool with labels for a container's cluster and role.
func tool() Tool {
	has := func(role string) func(docker.Container) bool {
		return func(c docker.Container) bool { return c.Config.Labels["role"] == role }
	}
	return Tool{Flavor: "tool", Label: "cluster", APIPort: apiPort, Restart: "on-failure:1",
		ControlPlane: has("control-plane"), Balancer: has("balancer")}
}

// node returns a container of cluster "lab" whose name is "lab-" and role, created a day ago.
// state may have an exit code after a space.
func node(role, state string) docker.Container {
	c := docker.Container{ID: "id-of-" + role, Name: "lab-" + role, Created: time.Now().Add(-24 * time.Hour)}
	c.State.Status, c.State.ExitCode = state, 137
	if status, ok := strings.CutSuffix(state, " 0"); ok {
		c.State.Status, c.State.ExitCode = status, 0
	}
	c.HostConfig.RestartPolicy.Name = "on-failure"
	c.Config.Labels = map[string]string{"cluster": "lab", "role": strings.TrimRight(role, "0123456789")}
	return c
}

// young returns a container as if created a moment ago.
func young(c docker.Container) docker.Container {
	c.Created = time.Now()
	return c
}

// stoppedByLab returns a container as lab stops it.
func stoppedByLab(c docker.Container) docker.Container {
	c.HostConfig.RestartPolicy.Name = RestartNever
	return c
}

// published returns a container that publishes its API server.
func published(c docker.Container, hostIP, port string) docker.Container {
	c.HostConfig.PortBindings = map[string][]docker.Binding{apiPort: {{HostIP: hostIP, HostPort: port}}}
	return c
}
