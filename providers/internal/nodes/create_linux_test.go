package nodes

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestCreateApart checks that a creation ends before anything is created where lab cannot reach
// the ports that the engine will publish. With a configuration of the tool, it may reach them.
func TestCreateApart(t *testing.T) {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		native   string
		awaitAPI bool
		want     string
	}{
		"kind or k3d":             {"", true, "check adapt"},
		"with its configuration":  {"x", true, "check adapt check run"},
		"minikube with arguments": {"x", false, "check adapt"},
	} {
		dockertest.Script(t, append(dockertest.Having(t, started(node("control-plane", "running"))),
			dockertest.Answer{Args: "info", Stdout: strings.TrimSpace(string(kernel)) + " []\n"},
			dockertest.Answer{Args: "network inspect bridge", Stdout: "192.0.2.1\n"})...)
		var calls []string
		c := scripted(&calls, map[string]error{"run": fault.Errorf(fault.ErrExists, "taken")})
		c.Spec.Native, c.AwaitAPI = []byte(test.native), test.awaitAPI
		err := tool().Create(t.Context(), c, nil)
		if got := strings.Join(calls, " "); !strings.HasPrefix(got, test.want) || strings.Contains(got, "run") != strings.Contains(test.want, "run") {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if apart := errors.Is(err, fault.ErrUnavailable); apart == strings.Contains(test.want, "run") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
