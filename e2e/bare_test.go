//go:build e2e && unix

package e2e

import (
	"math/rand/v2"
	"os/exec"
	"testing"

	"github.com/clusterlab-dev/lab/providers/providertest"
)

// TestBare creates a cluster with each tool alone. A failure here is a fault of the test bed; a failure of another
// test is a fault of lab. The test also checks that the adapter treats the cluster as not managed by lab.
func TestBare(t *testing.T) {
	order := tools()
	t.Log("order:", order)
	for _, tool := range order {
		t.Run(tool, func(t *testing.T) { testBare(t, tool) })
	}
}

// tools returns the tools in random order: on cgroup v1, leftovers of one tool in the kernel can break the next one.
func tools() []string {
	var tools []string
	for _, f := range flavors() {
		tools = append(tools, f.name)
	}
	rand.Shuffle(len(tools), func(i, j int) { tools[i], tools[j] = tools[j], tools[i] })
	return tools
}

func testBare(t *testing.T, tool string) {
	bed := testbed(t)
	c := bed.cluster(t, tool)
	c.must(t, c.create)
	c.load(t, bed.helloNew)
	c.kubectl(t, "wait", "--for=create", "serviceaccount/default", "--timeout=60s") // a pod needs it
	c.kubectl(t, "run", "hello", "--image="+bed.helloNew, "--image-pull-policy=Never", "--port=8080")
	c.kubectl(t, "wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	got := c.kubectl(t, "get", "--raw", "/api/v1/namespaces/default/pods/hello:8080/proxy/some/path")
	if want := "hello v2 from hello: /some/path\n"; got != want {
		t.Errorf("the pod answered %q, want %q", got, want)
	}
	providertest.CheckForeign(t, flavorOf(t, tool).provider(t, bed), c.name)
	c.remove(t)
}

// TestNodes checks that a pod is reachable on a node other than the API server's.
func TestNodes(t *testing.T) {
	takesLong(t)
	for _, tool := range tools() {
		t.Run(tool, func(t *testing.T) { testNodes(t, tool) })
	}
}

func testNodes(t *testing.T, tool string) {
	bed := testbed(t)
	c := bed.cluster(t, tool)
	flavorOf(t, tool).addWorker(t, c)
	c.must(t, c.create)
	c.kubectl(t, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
	worker := c.kubectl(t, "get", "nodes", "--selector=!node-role.kubernetes.io/control-plane", "--output=jsonpath={.items[*].metadata.name}")
	c.load(t, bed.helloNew)
	c.kubectl(t, "wait", "--for=create", "serviceaccount/default", "--timeout=60s")
	c.kubectl(t, "run", "hello", "--image="+bed.helloNew, "--image-pull-policy=Never", "--port=8080",
		`--overrides={"spec":{"nodeName":"`+worker+`"}}`)
	c.kubectl(t, "wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	got := c.kubectl(t, "get", "--raw", "/api/v1/namespaces/default/pods/hello:8080/proxy/across")
	if want := "hello v2 from hello: /across\n"; got != want {
		t.Errorf("the pod on node %s answered %q, want %q", worker, got, want)
	}
	c.remove(t)
	if tool == "minikube" {
		// minikube leaves the network of a cluster with several nodes, because it deletes the nodes in parallel, and the
		// network is in use while one exists. lab removes the network; minikube does not.
		_ = exec.Command("docker", "network", "rm", c.name).Run()
	}
}
