//go:build !windows

package docker_test

import (
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestExec(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "exec --interactive a1 ctr import -", Stdout: "unpacking\n", Once: true},
		dockertest.Answer{Args: "exec", Stderr: "ctr: no space left on device\n", Code: 1})
	if err := docker.Exec(t.Context(), "a1", strings.NewReader("x"), "ctr", "import", "-"); err != nil {
		t.Errorf("%v, after %q", err, d.Calls(t))
	}
	check(t, docker.Exec(t.Context(), "a1", nil, "ctr"), "ctr: no space left on device", "docker system df")
}

func TestLogs(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "logs --tail 12 a1", Stdout: "one\n", Stderr: "two\n"},
		dockertest.Answer{Args: "logs --tail all a1", Stderr: "Error: No such container: a1\n", Code: 1})
	var said strings.Builder
	if err := docker.Logs(t.Context(), "a1", 12, &said); err != nil || said.String() != "one\ntwo\n" {
		t.Errorf("%q, %v", said.String(), err)
	}
	if err := docker.Logs(t.Context(), "a1", 0, &said); err == nil {
		t.Error("no error where there is no container")
	}
}

func TestRemoveNetwork(t *testing.T) {
	for words, want := range map[string]string{
		"": "", "Error: No such network: n1": "", "Error response from daemon: network n1 not found": "",
		"Error response from daemon: error while removing network: network x id n1 has active endpoints": "active endpoints",
	} {
		rm := dockertest.Answer{Args: "network rm n1", Stderr: words}
		if words != "" {
			rm.Code = 1
		}
		dockertest.Script(t, dockertest.Answer{Args: "network ls --quiet --no-trunc --filter label=app=x --filter name=^n$", Stdout: "n1\n"}, rm)
		check(t, docker.RemoveNetwork(t.Context(), "n", "app=x"), want, "")
	}
	d := dockertest.Script(t, dockertest.Answer{Args: "network ls"})
	if err := docker.RemoveNetwork(t.Context(), "n", "app=x"); err != nil || len(d.Calls(t)) != 1 {
		t.Errorf("none: %v, after %q", err, d.Calls(t))
	}
}

func TestDisconnect(t *testing.T) {
	for words, want := range map[string]string{
		"Error response from daemon: container a1 is not connected to network n": "", "Error: No such container: a1": "",
		"Error response from daemon: network is stuck": "stuck",
	} {
		dockertest.Script(t, dockertest.Answer{Args: "network disconnect --force n a1", Stderr: words, Code: 1})
		check(t, docker.Disconnect(t.Context(), "n", "a1"), want, "")
	}
}

func TestRemoveVolumes(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "volume ls --quiet --filter label=k=v", Stdout: "v1\nv2\n"},
		dockertest.Answer{Args: "volume rm --force v1 v2", Stderr: "Error response from daemon: remove v1: volume is in use", Code: 1})
	check(t, docker.RemoveVolumes(t.Context(), "k=v"), "volume is in use", "")
	if calls := d.Calls(t); len(calls) != 2 {
		t.Errorf("calls: %q", calls)
	}
}
