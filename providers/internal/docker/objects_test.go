//go:build !windows

package docker_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestObjects(t *testing.T) {
	script := dockertest.Script(t,
		dockertest.Answer{Args: "network ls --format {{.Name}} --filter label=a=b", Stdout: "1\n2\n"},
		dockertest.Answer{Args: "volume ls --quiet --filter name=lab", Stdout: "other-lab\nlab\n"},
		dockertest.Answer{Args: "volume ls"},
		dockertest.Answer{Args: "volume rm x", Stderr: "Error: No such volume: x", Code: 1},
		dockertest.Answer{Args: "network rm 1", Stderr: "Error response from daemon: network 1 not found", Code: 1},
		dockertest.Answer{Args: "network rm 2", Stderr: "Error response from daemon: network 2 has active endpoints", Code: 1})
	if ids, err := docker.Labelled(t.Context(), docker.Network, "a=b"); err != nil || !slices.Equal(ids, []string{"1", "2"}) {
		t.Errorf("%q, %v", ids, err)
	}
	for name, want := range map[string]bool{"lab": true, "mine": false} {
		if has, err := docker.HasVolume(t.Context(), name); has != want || err != nil {
			t.Errorf("%s: %t, %v", name, has, err)
		}
	}
	if err := docker.RemoveAll(t.Context(), docker.Volume, "x"); err != nil {
		t.Errorf("a volume that is gone: %v", err)
	}
	if err := docker.RemoveAll(t.Context(), docker.Network, "1"); err != nil {
		t.Errorf("a network that is gone: %v", err)
	}
	if err := docker.RemoveAll(t.Context(), docker.Network, "2"); err == nil || !strings.Contains(err.Error(), "has active endpoints") {
		t.Errorf("a network in use: %v", err)
	}
	calls := len(script.Calls(t))
	if err := docker.RemoveAll(t.Context(), docker.Volume); err != nil || len(script.Calls(t)) != calls {
		t.Errorf("nothing to remove: %v", err)
	}
}

// TestStartAnywhere checks that a port in use is not treated as an address in use.
func TestStartAnywhere(t *testing.T) {
	c := docker.Container{ID: "1"}
	c.NetworkSettings.Networks = map[string]docker.Endpoint{"net": {}}
	taken := dockertest.Answer{Args: "start 1", Stderr: "Error response from daemon: Address already in use", Code: 1, Once: true}
	for name, test := range map[string]struct {
		first dockertest.Answer
		calls []string
	}{
		"free":  {dockertest.Answer{Args: "start 1", Once: true}, []string{"start 1"}},
		"taken": {taken, []string{"start 1", "network disconnect --force net 1", "network connect net 1", "start 1"}},
	} {
		script := dockertest.Script(t, test.first, dockertest.Answer{Args: "start"}, dockertest.Answer{Args: "network"})
		moved, err := docker.StartAnywhere(t.Context(), c)
		if err != nil || moved != (name == "taken") || !slices.Equal(script.Calls(t), test.calls) {
			t.Errorf("%s: moved %t, %v, %q", name, moved, err, script.Calls(t))
		}
	}
	dockertest.Script(t, dockertest.Answer{Args: "start", Stderr: "Error response from daemon: listen tcp4 127.0.0.1:80: bind: address already in use", Code: 1})
	if _, err := docker.StartAnywhere(t.Context(), c); err == nil {
		t.Error("no error")
	}
}
