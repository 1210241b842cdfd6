package kind

import (
	"archive/tar"
	"bytes"
	"encoding/json"
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

func TestMain(m *testing.M) {
	if code, played := dockertest.Play(); played {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

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

// young makes a container one that was made a moment ago.
func young(c docker.Container) docker.Container {
	c.Created = time.Now()
	return c
}

// stoppedByLab makes a container one that lab stopped.
func stoppedByLab(c docker.Container) docker.Container {
	c.HostConfig.RestartPolicy.Name = restartNever
	return c
}

// published makes a container one whose API server is published.
func published(c docker.Container, hostIP, port string) docker.Container {
	c.HostConfig.PortBindings = map[string][]docker.Binding{apiPort: {{HostIP: hostIP, HostPort: port}}}
	return c
}

// having returns the answers of a docker that has these containers.
func having(t *testing.T, containers ...docker.Container) []dockertest.Answer {
	t.Helper()
	text, err := json.Marshal(containers)
	if err != nil {
		t.Fatal(err)
	}
	return []dockertest.Answer{
		{Args: "ps --all --quiet", Stdout: strings.Join(ids(containers), "\n")},
		{Args: "inspect --type=container", Stdout: string(text)},
	}
}

// file returns what docker cp prints for a file.
func file(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "file", Mode: 0o600, Size: int64(len(text))})
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
