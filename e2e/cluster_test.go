//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// cluster is a cluster that a test creates with the tool's own commands.
type cluster struct {
	name, kubeconfig string
	env              []string
	bed              *bed

	create, delete []string
	loadOne        func(image string) []string
}

// cluster returns a cluster of a tool with a random name, and deletes it at the end of the test if the test failed.
// The test fails if anything is left of the cluster.
func (b *bed) cluster(t *testing.T, tool string) *cluster {
	t.Helper()
	c := &cluster{name: session.RandomName(), kubeconfig: t.TempDir() + "/kubeconfig", bed: b}
	c.env = []string{"KUBECONFIG=" + c.kubeconfig}
	requireNoLeak(t, c.name)
	switch tool {
	case "kind":
		c.create = append([]string{"kind", "create", "cluster", "--name=" + c.name, "--wait=90s"}, b.kind...)
		c.loadOne = func(image string) []string {
			return []string{"kind", "load", "docker-image", image, "--name=" + c.name}
		}
		c.delete = []string{"kind", "delete", "cluster", "--name=" + c.name}
	case "k3d":
		c.env = append(c.env, b.k3dEnv...)
		c.create = append([]string{"k3d", "cluster", "create", c.name, "--agents=1", "--api-port=127.0.0.1:random", "--timeout=180s"}, b.k3d...)
		c.loadOne = func(image string) []string {
			return []string{"k3d", "image", "import", "--mode=direct", "--cluster=" + c.name, image}
		}
		c.delete = []string{"k3d", "cluster", "delete", c.name}
	case "minikube":
		c.env = append(c.env, "MINIKUBE_HOME="+b.minikubeHome, "MINIKUBE_FORCE=true", "MINIKUBE_IN_STYLE=false")
		c.create = append([]string{"lab-minikube", "start", "--profile=" + c.name, "--driver=docker",
			"--container-runtime=containerd", "--interactive=false"}, b.minikube...)
		c.loadOne = func(image string) []string {
			return []string{"lab-minikube", "--profile=" + c.name, "image", "load", image}
		}
		c.delete = []string{"lab-minikube", "delete", "--profile=" + c.name}
	default:
		t.Fatalf("no such tool: %s", tool)
	}
	t.Cleanup(func() {
		if t.Failed() {
			c.keepLogs(t)
			_, _ = c.run(context.Background(), c.delete)
		}
	})
	return c
}

// remove deletes the cluster with its tool. It retries if a process in a node was frozen, which is not an error of
// the tool.
func (c *cluster) remove(t *testing.T) {
	t.Helper()
	out, err := c.run(t.Context(), c.delete)
	switch {
	case err == nil:
		return
	case !isFrozen(out):
		t.Fatalf("%s: %v\n%s", strings.Join(c.delete, " "), err, out)
	}
	for id := range strings.FieldsSeq(docker(t, "ps", "--all", "--quiet", "--no-trunc", "--filter=name="+c.name)) {
		thaw(t, id)
	}
	c.must(t, c.delete)
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// isFrozen reports whether docker could not end a node because of a frozen process. On cgroup v1, runc freezes a pod
// briefly when it starts it. If the node is killed then, the frozen processes cannot end.
func isFrozen(out string) bool { return strings.Contains(out, "did not receive an exit event") }

// thaw thaws the frozen processes of a container.
func thaw(t *testing.T, id string) {
	t.Helper()
	for _, path := range filesBelow(t, filepath.Join("/sys/fs/cgroup/freezer/docker", id)) {
		if filepath.Base(path) == "freezer.state" {
			_ = os.WriteFile(path, []byte("THAWED"), 0o600) // the pod may be gone
		}
	}
}

// load copies images of the Docker Engine to the cluster. It skips images that are not in the engine, because the
// nodes of the test bed already have them.
func (c *cluster) load(t *testing.T, images ...string) {
	t.Helper()
	for _, image := range images {
		if exec.Command("docker", "image", "inspect", image).Run() == nil {
			c.must(t, c.loadOne(image))
		}
	}
}

// publish publishes port 80 of the cluster at a port of the host's loopback. It must be called before the cluster is
// created.
func (c *cluster) publish(t *testing.T, tool string, port int) {
	t.Helper()
	switch tool {
	case "kind":
		c.configure(t, fmt.Sprintf("{role: control-plane, extraPortMappings: [{hostPort: %d, containerPort: 80, "+
			"listenAddress: 127.0.0.1}]}", port))
	case "k3d":
		c.create = append(c.create, fmt.Sprintf("--port=127.0.0.1:%d:80@loadbalancer", port))
	case "minikube":
		c.create = append(c.create, fmt.Sprintf("--ports=127.0.0.1:%d:80", port))
	}
}

// addWorker adds a second node. It must be called before the cluster is created. k3d's clusters always have one.
func (c *cluster) addWorker(t *testing.T, tool string) {
	t.Helper()
	switch tool {
	case "kind":
		c.configure(t, "{role: control-plane}, {role: worker}")
	case "minikube":
		c.create = append(c.create, "--nodes=2")
	}
}

// configure sets the nodes of a kind cluster, which kind reads from a file only.
func (c *cluster) configure(t *testing.T, nodes string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kind.yaml")
	config := "{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, nodes: [" + nodes + "]}"
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c.create = append(c.create, "--config="+path)
}

// must runs a command of the cluster's tool, and ends the test if it fails.
func (c *cluster) must(t *testing.T, command []string) string {
	t.Helper()
	out, err := c.run(t.Context(), command)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return c.must(t, append([]string{"kubectl"}, args...))
}

func (c *cluster) apply(t *testing.T, manifest string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	c.kubectl(t, "apply", "--filename="+path)
}

// keepLogs logs the state of the cluster after a failure.
func (c *cluster) keepLogs(t *testing.T) {
	for _, command := range [][]string{
		{"kubectl", "get", "nodes,pods", "--all-namespaces", "--output=wide"},
		{"kubectl", "get", "events", "--all-namespaces"},
		{"docker", "ps", "--all"},
	} {
		out, err := c.run(context.Background(), command)
		t.Logf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}
