//go:build !windows

package nodes

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestAwaitDeath checks that a node that exited ends the watch, and one that has not started
// does not.
func TestAwaitDeath(t *testing.T) {
	for name, test := range map[string]struct {
		node docker.Container
		says string
	}{
		"killed": {node("control-plane", "exited"), "node lab-control-plane exited (exit code 137)"},
		"paused": {node("control-plane", "paused"), "node lab-control-plane is paused"},
		"alive":  {node("control-plane", "running"), ""},
		"unborn": {node("control-plane", "created"), ""},
	} {
		dockertest.Script(t, dockertest.Having(t, test.node)...)
		wantDeath(t, name, tool(), test.says)
	}
}

// TestEngineGone checks that an engine that is gone ends a watch, and that one whose answer is an
// error does not.
func TestEngineGone(t *testing.T) {
	const words = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
	dockertest.Script(t, dockertest.Answer{Args: "ps", Stderr: words, Code: 1})
	wantDeath(t, "gone", tool(), words)

	dockertest.Script(t, dockertest.Answer{Args: "ps", Stderr: "Error response from daemon: it is busy", Code: 1})
	if err := tool().death(t.Context(), "lab"); err != nil {
		t.Errorf("an error is taken for a death: %v", err)
	}
}

// wantDeath has a tool watch its cluster until it gives it up for a reason or, where it is
// to find none, for a second.
func wantDeath(t *testing.T, name string, tool Tool, says string) {
	t.Helper()
	limit := time.Second
	if says != "" { // which ends it before, however busy the machine is
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if got := errText(tool.awaitDeath(ctx, "lab", 10*time.Millisecond)); got != says {
		t.Errorf("%s: %q, want %q", name, got, says)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestUntilDeath checks that a context ends with the death of a node as its cause.
func TestUntilDeath(t *testing.T) {
	dockertest.Script(t, dockertest.Having(t, node("control-plane", "exited"))...)
	watched, stop := tool().untilDeath(t.Context(), "lab", time.Millisecond)
	<-watched.Done()
	if err := context.Cause(watched); err == nil || !strings.Contains(err.Error(), "node lab-control-plane exited") {
		t.Errorf("the cause is %v", err)
	}
	stop()
}

// TestStopEndsWatch checks that stop ends the watch while the engine hangs, and returns when it has
// ended.
func TestStopEndsWatch(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "ps", Hangs: true})
	watched, stop := tool().untilDeath(t.Context(), "lab", time.Millisecond)
	for tick := time.NewTicker(10 * time.Millisecond); d.Calls(t)[0] == ""; <-tick.C {
		if t.Context().Err() != nil {
			t.Fatal("docker was never called")
		}
	}
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second): // docker answers after 15 s at the latest
		t.Fatal("stop does not end a watch that waits for the engine")
	}
	if err := context.Cause(watched); !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is %v, want Canceled", err)
	}
	stacks := make([]byte, 1<<20)
	if n := runtime.Stack(stacks, true); bytes.Contains(stacks[:n], []byte("awaitDeath")) {
		t.Errorf("the watch still runs:\n%s", stacks[:n])
	}
}

// TestHollow checks that a node whose program has exited ends the watch, though its container
// runs.
func TestHollow(t *testing.T) {
	const empty, whole = "PID COMMAND\n7 k3d-entrypoint.\n9 sleep\n", "PID COMMAND\n7 k3d-entrypoint.\n9 k3s-server\n"
	old, young := node("control-plane", "running"), node("control-plane", "running")
	old.State.StartedAt, young.State.StartedAt = time.Now().Add(-time.Minute), time.Now()
	for name, test := range map[string]struct {
		node docker.Container
		top  dockertest.Answer
		says string
	}{
		"ended":           {old, dockertest.Answer{Stdout: empty}, "k3s exited in node lab-control-plane: no such flag"},
		"running":         {old, dockertest.Answer{Stdout: whole}, ""},
		"not yet running": {young, dockertest.Answer{Stdout: empty}, ""},
		"not to be told":  {old, dockertest.Answer{Code: 1}, ""},
	} {
		test.top.Args = "top id-of-control-plane"
		dockertest.Script(t, append(dockertest.Having(t, test.node), test.top,
			dockertest.Answer{Args: "logs --tail 1000 id-of-control-plane", Stderr: "Error: no such flag\n"})...)
		tool := tool()
		tool.Program = "k3s"
		wantDeath(t, name, tool, test.says)
	}
}
