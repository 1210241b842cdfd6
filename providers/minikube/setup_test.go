//go:build !windows

package minikube

import (
	"encoding/json"
	"os"
	"path/filepath"
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
	if os.Getenv(fakeVariable) != "" && filepath.Base(os.Args[0]) == programName {
		os.Exit(playMinikube(os.Args[1:]))
	}
	os.Exit(dockertest.Main(m))
}

// answer is the scripted output of a command of minikube or docker.
type answer = dockertest.Answer

// scripted returns a Provider whose minikube gives the answers, with an empty home. Its docker
// is that of [dockertest.Script].
func scripted(t *testing.T, answers ...answer) (*Provider, dockertest.Docker) {
	t.Helper()
	tool := dockertest.Program(t, programName, append(answers, answer{Args: "version", Stdout: `{"commit":"x","minikubeVersion":"v1.38.1"}`})...)
	p := New(Options{Program: tool.Path(), Home: filepath.Join(t.TempDir(), ".minikube"), Dir: filepath.Join(t.TempDir(), "lab")})
	p.runner.lingers = 100 * time.Millisecond
	return p, tool
}

// ready adds the answers of a docker without objects that suits every cluster.
func ready(answers ...answer) []answer {
	return append(answers, answer{Args: "info", Stdout: "28.0.0 2"}, answer{Args: "ps"}, answer{Args: "volume ls"},
		answer{Args: "network ls"}, answer{Args: "image inspect", Stdout: "sha256:1"})
}

// keep creates a profile with a configuration and a certificate, a day old.
func keep(t *testing.T, p *Provider, name string, config profile) {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"config.json": string(text), "client.crt": "certificate of " + name, "client.key": "key", "events.json": "{}"}
	for file, content := range files {
		write(t, filepath.Join(p.home.profileDir(name), file), content)
	}
	write(t, filepath.Join(string(p.home), "ca.crt"), "authority")
	write(t, filepath.Join(p.home.machinesDir(), name, "id_rsa"), "key")
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(p.home.profileDir(name), yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inDocker returns a configuration of the docker driver.
func inDocker() profile {
	c := profile{Driver: driverDocker}
	c.Nodes = append(c.Nodes, struct {
		IP   string
		Port int
	}{"192.168.49.2", 8443})
	c.KubernetesConfig.ContainerRuntime = "containerd"
	return c
}

// node returns a container that was created a day ago.
func node(name, state string, exitCode int) docker.Container {
	c := docker.Container{ID: "id-of-" + name, Name: name, Created: time.Now().Add(-24 * time.Hour)}
	c.State.Status, c.State.ExitCode = state, exitCode
	c.HostConfig.RestartPolicy.Name = "no"
	c.Config.Labels = map[string]string{label: name}
	return c
}

// left returns the files in the directories of minikube and of lab.
func left(t *testing.T, p *Provider) []string {
	t.Helper()
	var paths []string
	for _, dir := range []string{string(p.home), p.opts.Dir} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return paths
}
