//go:build !windows

package k3d

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		says, want, hint string
		kind             error
	}{
		"a port that is taken": {
			"Failed Cluster Start: Failed to add one or more helper nodes: runtime failed to start node 'k3d-lab-serverlb': docker failed to start container for node 'k3d-lab-serverlb': Error response from daemon: driver failed: Bind for 127.0.0.1:80 failed: port is already allocated",
			"k3d-lab-serverlb: driver failed: Bind for 127.0.0.1:80 failed: port is already allocated", "--port HOST:CONTAINER", nil,
		},
		"a name that is taken": {
			`failed to create node: docker failed to create container 'k3d-lab-server-0': Error response from daemon: Conflict. The container name "/k3d-lab-server-0" is already in use by container "b2".`,
			`Conflict. The container name "/k3d-lab-server-0" is already in use by container "b2".`, "", fault.ErrExists,
		},
		"an engine that went away": {
			"failed to list containers: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
			"failed to list containers: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "start", fault.ErrUnavailable,
		},
		"no node":        {"docker failed: Error response from daemon: no such image", "no such image", "", nil},
		"something else": {"out of luck", "out of luck", "", nil},
	} {
		got := explain(errors.New(test.says))
		if got.Error() != test.want || !strings.Contains(fault.HintOf(got), test.hint) {
			t.Errorf("%s: %v (hint %q), want %q and %q", name, got, fault.HintOf(got), test.want, test.hint)
		}
		if test.kind != nil && !errors.Is(got, test.kind) {
			t.Errorf("%s: %v is not %v", name, got, test.kind)
		}
	}
	if wrong := invalid("x"); explain(nil) != nil || !errors.Is(explain(wrong), fault.ErrInvalid) {
		t.Error("nothing became an error, or what was explained lost its kind")
	}
}

func TestLastWords(t *testing.T) {
	waited := errors.New("Failed to start server k3d-lab-server-0: Node k3d-lab-server-0 failed to get ready: error waiting for log line `k3s is up and running`")
	dockertest.Script(t, append(dockertest.Having(t, node("agent-0", "running"), node("server-0", "restarting")),
		dockertest.Answer{Args: "logs --tail 1000 id-of-server-0", Stdout: "time=\"x\" level=info msg=starting\n", Stderr: "time=\"x\" level=fatal msg=\"too many open files\"\n"})...)
	got := lastWords(t.Context(), "lab", waited)
	want := "node k3d-lab-server-0 did not start: it is restarting: too many open files"
	if !strings.HasPrefix(got.Error(), want) || !strings.Contains(got.Error(), "too many open files") || !strings.Contains(fault.HintOf(got), "sysctl") {
		t.Errorf("%v (hint %q), want %q", got, fault.HintOf(got), want)
	}
	other := errors.New("port is already allocated")
	if got := lastWords(t.Context(), "lab", other); !errors.Is(got, other) {
		t.Errorf("%v", got)
	}
}
