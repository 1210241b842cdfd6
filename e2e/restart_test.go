//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestEngineRestarts checks that `lab start` starts a cluster again after a restart of the Docker Engine, as after a
// restart of the machine, and returns when it works. It needs an engine that the test bed started.
func TestEngineRestarts(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
		p.Must("up", name, "--flavor", f.name, "--port", strconv.Itoa(port)+":"+strconv.Itoa(f.port))
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})
		p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
		p.Must("image", "load", bed.helloNew, "--name", name)
		p.apply(f.web("hello", bed.helloNew))
		p.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")

		restartEngine(t, f.node(name))
		p.Must("start", name)
		// No wait: a cluster that start reports as ready must work.
		p.kubectl("get", "--raw", "/api/v1/namespaces/kube-system/services/kube-dns:metrics/proxy/metrics")
		session.Eventually(t, 2*time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/", "hello v2 from hello") })
		p.Must("down", name)
		p.checkNothing(name)
	})
}

// TestEngineStops stops the Docker Engine during a creation. lab must end and report that the engine does not run.
// After the engine is started again, the leftovers must be found and removed.
func TestEngineStops(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		t.Cleanup(func() { engine(t, "up") })
		p, name := newUser(t, bed), session.RandomName()
		var said bytes.Buffer
		cmd := p.lab(t.Context(), "up", name, "--flavor", f.name, "--timeout=5m")
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		session.Eventually(t, time.Minute, func(context.Context) error {
			out, err := exec.Command("docker", "inspect", "--format", "{{.State.Running}}", f.node(name)).CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "true" {
				return fmt.Errorf("%v: %s", err, out)
			}
			return nil
		})
		engine(t, "down")
		began := time.Now()
		_ = cmd.Wait() // the exit code is checked below
		if took := time.Since(began); took > 90*time.Second {
			t.Errorf("lab took %s to notice", took)
		}
		t.Logf("exit code %d:\n%s", cmd.ProcessState.ExitCode(), said.String())
		if code := cmd.ProcessState.ExitCode(); code != 5 || !strings.Contains(said.String(), "Docker") {
			t.Errorf("exit code %d, want 5 and an error that names Docker:\n%s", code, said.String())
		}
		p.awaitGroup(cmd.Process.Pid)
		engine(t, "up")
		switch state := p.List()[name].State; state {
		case "creating", "degraded":
		default:
			t.Errorf("its state is %q", state)
		}
		p.Must("down", name)
		p.checkNothing(name)
	})
}

// restartEngine restarts the test bed's engine, in which a container is running.
func restartEngine(t *testing.T, container string) {
	t.Helper()
	const began = "{{.State.StartedAt}}{{.State.Status}}"
	before := docker(t, "inspect", "--format", began, container)
	engine(t, "down")
	engine(t, "up")
	if docker(t, "inspect", "--format", began, container) == before {
		t.Fatal("the engine was not restarted: another engine than the test bed's answers")
	}
}

// engine stops or starts the test bed's engine.
func engine(t *testing.T, verb string) {
	t.Helper()
	if out, err := testbedCommand(verb).CombinedOutput(); err != nil {
		t.Fatalf("testbed %s: %v\n%s", verb, err, out)
	}
}
