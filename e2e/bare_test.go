//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestBare makes a cluster with each tool itself, without lab: what fails here is the test bed's fault, and what
// passes here and fails in another test is lab's. The tools come in another order each time, since under cgroup v1
// what one leaves in the kernel can break the next.
func TestBare(t *testing.T) {
	tools := []string{"kind", "k3d", "minikube"}
	rand.Shuffle(len(tools), func(i, j int) { tools[i], tools[j] = tools[j], tools[i] })
	t.Log("order:", tools)
	for _, tool := range tools {
		t.Run(tool, func(t *testing.T) { testBare(t, tool) })
	}
}

func testBare(t *testing.T, tool string) {
	bed := testbed(t)
	requireNoLeak(t)
	c := bed.cluster(t, tool)
	c.must(t, c.create)
	c.must(t, c.load)
	c.kubectl(t, "wait", "--for=create", "serviceaccount/default", "--timeout=60s") // which a pod needs to be taken
	c.kubectl(t, "run", "hello", "--image="+bed.hello, "--image-pull-policy=Never", "--port=8080")
	c.kubectl(t, "wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	got := c.kubectl(t, "get", "--raw", "/api/v1/namespaces/default/pods/hello:8080/proxy/some/path")
	if want := "hello v1 from hello: /some/path\n"; got != want {
		t.Errorf("the pod answered %q, want %q", got, want)
	}
	c.must(t, c.delete)
}

// cluster is a cluster made with a tool's own commands.
type cluster struct {
	name, kubeconfig string
	env              []string
	bed              *bed

	create, load, delete []string
}

// cluster returns a cluster of tool under a random name, and deletes it at the end of the test, however that ends.
func (b *bed) cluster(t *testing.T, tool string) *cluster {
	t.Helper()
	c := &cluster{name: randomName(), kubeconfig: t.TempDir() + "/kubeconfig", bed: b}
	c.env = []string{"KUBECONFIG=" + c.kubeconfig}
	switch tool {
	case "kind":
		c.create = append([]string{"kind", "create", "cluster", "--name=" + c.name, "--wait=90s"}, b.kind...)
		c.load = []string{"kind", "load", "docker-image", b.hello, "--name=" + c.name}
		c.delete = []string{"kind", "delete", "cluster", "--name=" + c.name}
	case "k3d":
		c.env = append(c.env, b.k3dEnv...)
		c.create = append([]string{"k3d", "cluster", "create", c.name, "--agents=1", "--api-port=127.0.0.1:random", "--timeout=180s"}, b.k3d...)
		c.load = []string{"k3d", "image", "import", "--mode=direct", "--cluster=" + c.name, b.hello}
		c.delete = []string{"k3d", "cluster", "delete", c.name}
	case "minikube":
		c.env = append(c.env, "MINIKUBE_HOME="+b.minikubeHome, "MINIKUBE_FORCE=true", "MINIKUBE_IN_STYLE=false")
		c.create = append([]string{"lab-minikube", "start", "--profile=" + c.name, "--driver=docker",
			"--container-runtime=containerd", "--interactive=false"}, b.minikube...)
		c.load = []string{"lab-minikube", "--profile=" + c.name, "image", "load", b.hello}
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

// must runs a command of the cluster's tool, and ends the test where it fails.
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

// keepLogs shows what a person would look at first after a failure.
func (c *cluster) keepLogs(t *testing.T) {
	for _, command := range [][]string{
		{"kubectl", "get", "nodes,pods", "--all-namespaces", "--output=wide"},
		{"kubectl", "get", "events", "--all-namespaces"},
		{"docker", "ps", "--all"},
	} {
		out, err := c.run(context.Background(), command)
		t.Log(fmt.Sprintf("%s: %v\n%s", strings.Join(command, " "), err, out))
	}
}
