//go:build !windows

package kind

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

// node returns a container of cluster "lab" whose name is "lab-" and role, made a day
// ago. state may have an exit code after a space.
func node(role, state string) docker.Container {
	c := docker.Container{ID: "id-of-" + role, Name: "lab-" + role, Created: time.Now().Add(-24 * time.Hour)}
	c.State.Status, c.State.ExitCode = state, 137
	if status, ok := strings.CutSuffix(state, " 0"); ok {
		c.State.Status, c.State.ExitCode = status, 0
	}
	c.HostConfig.RestartPolicy.Name = "on-failure"
	c.Config.Labels = map[string]string{labelCluster: "lab", labelRole: strings.TrimRight(role, "0123456789")}
	return c
}
