//go:build e2e && unix

package e2e

import (
	"context"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// TestEngineRestarts shows that `lab start` brings a cluster back after the Docker Engine was stopped and started, as
// when the machine was, and returns when it works. It needs an engine that the test bed itself has started.
func TestEngineRestarts(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, name, port := newPerson(t, bed), randomName(), freePort(t)
		p.must("up", name, "--flavor", f.name, "--port", strconv.Itoa(port)+":"+strconv.Itoa(f.port))
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})
		p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
		p.must("image", "load", bed.helloNew, "--name", name)
		p.apply(f.web("hello", bed.helloNew))
		p.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")

		restartEngine(t, f.node(name))
		p.must("start", name)
		// No wait here: what start says is ready must be.
		p.kubectl("get", "--raw", "/api/v1/namespaces/kube-system/services/kube-dns:metrics/proxy/metrics")
		c := &cluster{bed: bed}
		c.eventually(t, 2*time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/", "hello v2 from hello") })
		p.must("down", name)
		p.checkNothing(name)
	})
}

// restartEngine stops and starts the test bed's engine, in which a container was running.
func restartEngine(t *testing.T, container string) {
	t.Helper()
	const began = "{{.State.StartedAt}}{{.State.Status}}"
	before := docker(t, "inspect", "--format", began, container)
	for _, verb := range []string{"down", "up"} {
		if out, err := exec.Command("go", "run", "./testbed", verb).CombinedOutput(); err != nil {
			t.Fatalf("testbed %s: %v\n%s", verb, err, out)
		}
	}
	if docker(t, "inspect", "--format", began, container) == before {
		t.Fatal("the engine was not restarted: another than the test bed's answers")
	}
}
