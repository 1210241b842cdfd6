//go:build !windows

package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestWithLogs checks that the error states the cause first, also after a timeout, and keeps
// the tool's output. If the engine does not exist any more, that is the cause.
func TestWithLogs(t *testing.T) {
	const gone = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
	broke := fault.WithDetail(fault.Errorf(fault.ErrNotFound, "the tool failed"), "its whole output")
	never := node("control-plane", "created")
	full := "panic: write /x: no space left on device"
	for name, test := range map[string]struct {
		docker             []dockertest.Answer
		err                error
		log                string
		says, hint, detail string
		kind               error
		saved              int
	}{
		"a cause": {dockertest.Having(t, node("control-plane", "running")), broke, "Error: no such key", "node lab-control-plane does not start: no such key\nits logs are in ",
			"correct a key of node in the cluster configuration, or read the logs in ", "the tool failed\nits whole output", nil, 1},
		"a cause in the machine": {dockertest.Having(t, node("control-plane", "running")), broke, full, "node lab-control-plane does not start: write /x: no space left on device\nits logs are in ",
			"free disk space", "the tool failed", nil, 1},
		"a node that ended": {dockertest.Having(t, started(node("control-plane", "exited"))), broke, "bye", "node lab-control-plane exited (exit code 137): bye\n", "correct ", "the tool failed", nil, 1},
		"out of time": {dockertest.Having(t, node("control-plane", "running")), fmt.Errorf("waiting: %w", context.DeadlineExceeded), "Error: no such key",
			"node lab-control-plane does not start: no such key (context deadline exceeded)\n", "correct ", "waiting", context.DeadlineExceeded, 1},
		"no cause":           {dockertest.Having(t, node("control-plane", "running")), broke, "well", "the tool failed\nits logs are in ", "read the logs in ", "its whole output", fault.ErrNotFound, 1},
		"no node ran":        {dockertest.Having(t, never), broke, full, "the tool failed", "", "its whole output", fault.ErrNotFound, 0},
		"no engine any more": {[]dockertest.Answer{{Args: "ps", Stderr: gone, Code: 1}}, broke, full, gone, "start", "the tool failed\nits whole output", fault.ErrUnavailable, 0},
		"interrupted":        {nil, fmt.Errorf("waiting: %w", context.Canceled), full, "waiting: context canceled", "", "", context.Canceled, 0},
	} {
		dockertest.Script(t, test.docker...)
		over, cancel := context.WithCancel(t.Context())
		cancel() // as at the end of the time that a creation has
		parent := t.TempDir()
		tool := tool()
		tool.Logs = func(node string) cause.Node { return cause.Node{Output: node} }
		tool.Settings = func(string) string { return "a key of node" }
		got := tool.WithLogs(over, "lab", parent, test.err, func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, "lab-control-plane"), []byte(test.log), 0o600)
		})
		if !strings.HasPrefix(got.Error(), test.says) || !strings.HasPrefix(strings.TrimPrefix(fault.HintOf(got), "start it: sudo systemctl "), test.hint) || !strings.HasPrefix(fault.DetailOf(got), test.detail) {
			t.Errorf("%s: %v (hint %q, detail %q), want %q, %q, %q", name, got, fault.HintOf(got), fault.DetailOf(got), test.says, test.hint, test.detail)
		}
		for _, kind := range []error{context.DeadlineExceeded, context.Canceled, fault.ErrNotFound, fault.ErrUnavailable} {
			if errors.Is(got, kind) != (kind == test.kind) {
				t.Errorf("%s: %v is %v", name, got, kind)
			}
		}
		if dirs, _ := os.ReadDir(parent); len(dirs) != test.saved {
			t.Errorf("%s: saved %d", name, len(dirs))
		}
	}
}

// started gives a container a time at which it was started.
func started(c docker.Container) docker.Container {
	c.State.StartedAt = c.Created
	return c
}
