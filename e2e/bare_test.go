//go:build e2e

package e2e

import (
	"math/rand/v2"
	"testing"
)

// TestBare makes a cluster with each tool itself, without lab: what fails here is the test bed's fault, and what
// passes here and fails in another test is lab's.
func TestBare(t *testing.T) {
	order := tools()
	t.Log("order:", order)
	for _, tool := range order {
		t.Run(tool, func(t *testing.T) { testBare(t, tool) })
	}
}

// tools returns the tools in another order each time, since under cgroup v1 what one leaves in the kernel can break
// the next.
func tools() []string {
	tools := []string{"kind", "k3d", "minikube"}
	rand.Shuffle(len(tools), func(i, j int) { tools[i], tools[j] = tools[j], tools[i] })
	return tools
}

func testBare(t *testing.T, tool string) {
	bed := testbed(t)
	requireNoLeak(t)
	c := bed.cluster(t, tool)
	c.must(t, c.create)
	c.load(t, bed.helloNew)
	c.kubectl(t, "wait", "--for=create", "serviceaccount/default", "--timeout=60s") // which a pod needs to be taken
	c.kubectl(t, "run", "hello", "--image="+bed.helloNew, "--image-pull-policy=Never", "--port=8080")
	c.kubectl(t, "wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	got := c.kubectl(t, "get", "--raw", "/api/v1/namespaces/default/pods/hello:8080/proxy/some/path")
	if want := "hello v2 from hello: /some/path\n"; got != want {
		t.Errorf("the pod answered %q, want %q", got, want)
	}
	c.must(t, c.delete)
}
