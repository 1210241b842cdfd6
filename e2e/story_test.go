//go:build e2e && unix

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStory is what lab is for: make a cluster, reach a pod from the host, put the cluster aside, take it up again,
// remove it without a trace.
func TestStory(t *testing.T) {
	t.Run("kind", func(t *testing.T) { story(t, "kind") })
}

func story(t *testing.T, flavor string) {
	bed := testbed(t)
	requireNoAnonymousVolume(t)
	p, name, port := newPerson(t, bed), randomName(), freePort(t)
	up := []string{"up", name, "--flavor", flavor, "--port", strconv.Itoa(port) + ":80"}
	t.Cleanup(func() {
		if t.Failed() {
			_ = p.lab(context.Background(), "down", name).Run()
		}
	})
	p.must(up...)
	if again := p.must(append(up, "--dry-run", "-o", "json")...); !strings.Contains(again, `"action": "none"`) {
		t.Errorf("up again would not do nothing: %s", again)
	}

	p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
	p.apply(hostPod("hello", bed.helloNew))
	p.must("image", "load", bed.save(t, bed.helloNew), "--name", name)
	p.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	c := &cluster{bed: bed}
	c.eventually(t, time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/one", "hello v2 from hello") })

	p.must("stop", name)
	if state := p.states()[name]; state != "stopped" {
		t.Errorf("state is %q", state)
	}
	if answers(t.Context(), port, "hello", "/two", "hello") == nil {
		t.Error("a stopped cluster answers")
	}
	// The address that the node had is another's when it comes back.
	squatter := strings.TrimSpace(docker(t, "run", "--detach", "--rm", "--network=kind", "--entrypoint=sleep", bed.kindNode(), "600"))
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", squatter) })
	p.must("start", name)
	c.eventually(t, 2*time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/three", "hello v2 from hello") })

	docker(t, "kill", name+"-control-plane")
	if state := p.states()[name]; state != "degraded" {
		t.Errorf("state is %q", state)
	}
	p.must(up...)
	c.eventually(t, 2*time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/four", "hello v2 from hello") })
	logs := t.TempDir()
	p.must("logs", name, "--dir", logs)
	if len(filesBelow(t, logs)) < 10 {
		t.Errorf("the logs are %q", filesBelow(t, logs))
	}
	p.must("down", name)
	p.checkNothing(name)
}

// hostPod is a pod at port 80 of its node.
func hostPod(name, image string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: [{name: web, image: %q,
 imagePullPolicy: Never, ports: [{containerPort: 8080, hostPort: 80}]}]}}`, name, image)
}

// TestInterrupted ends lab in the middle of its work: with Ctrl-C it must leave nothing, and what it leaves when it is
// killed the next lab must find and remove.
func TestInterrupted(t *testing.T) {
	t.Run("kind", func(t *testing.T) {
		bed := testbed(t)
		requireNoAnonymousVolume(t)
		for _, step := range []string{"Ensuring node image", "Preparing nodes", "Starting control-plane", "Installing StorageClass", "Waiting for nodes"} {
			t.Run("Ctrl-C in "+step, func(t *testing.T) { interrupted(t, bed, step) })
		}
		for _, step := range []string{"Preparing nodes", "Starting control-plane", "Waiting for nodes"} {
			t.Run("killed in "+step, func(t *testing.T) { killed(t, bed, step) })
		}
	})
}

func interrupted(t *testing.T, bed *bed, step string) {
	p, name := newPerson(t, bed), randomName()
	stderr, code := p.upUntil(syscall.SIGINT, true, step, name, "--flavor", "kind", "--workers", "1")
	if code != 130 || !strings.Contains(stderr, `"reason":"Interrupted"`) {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
	p.checkNothing(name)
}

func killed(t *testing.T, bed *bed, step string) {
	p, name := newPerson(t, bed), randomName()
	if _, code := p.upUntil(syscall.SIGKILL, false, step, name, "--flavor", "kind"); code != -1 {
		t.Errorf("exit code %d", code)
	}
	if state := p.states()[name]; state != "degraded" && state != "creating" {
		t.Errorf("state is %q", state)
	}
	p.must("down", name)
	p.checkNothing(name)
}

// TestRefused shows what a person reads where a cluster cannot be made.
func TestRefused(t *testing.T) {
	t.Run("kind", func(t *testing.T) {
		bed := testbed(t)
		p, name, port := newPerson(t, bed), randomName(), freePort(t)
		listen(t, port)
		for _, test := range []struct {
			args []string
			code int
			says string
		}{
			{[]string{"--port", strconv.Itoa(port) + ":80"}, 1, "choose another with --port"},
			{[]string{"--image", "127.0.0.1:1/none:v1"}, 5, "--image IMAGE"},
			{[]string{"--mount", filepath.Join(p.dir, "none") + ":/x"}, 2, "no such file"},
		} {
			_, stderr, code := p.run(append([]string{"up", name, "--flavor", "kind"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.says) {
				t.Errorf("%q: exit code %d, want %d and %q:\n%s", test.args, code, test.code, test.says, stderr)
			}
			t.Log(stderr)
			p.checkNothing(name)
		}
	})
}
