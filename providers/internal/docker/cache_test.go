//go:build !windows

package docker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestRemoveNetwork checks that image caches do not prevent the removal of a network, and that nothing
// else is disconnected.
func TestRemoveNetwork(t *testing.T) {
	inUse := dockertest.Answer{Args: "network rm n1", Code: 1, Stderr: "Error response from daemon: error while removing network: network net id n1 has active endpoints"}
	once := inUse
	once.Once = true
	cache := docker.Container{ID: "c1", Name: "lab-cache-1"}
	cache.Config.Labels = map[string]string{docker.CacheLabel: "1"}
	const list, leave = "ps --all --quiet --no-trunc --filter label=clusterlab.dev/cache", "network disconnect --force n1 c1"
	for name, test := range map[string]struct {
		answers []dockertest.Answer
		calls   []string
		says    string
	}{
		"not connected": {nil, []string{"network rm n1"}, ""},
		"connected": {append(dockertest.Having(t, cache), once),
			[]string{"network rm n1", list, "inspect --type=container c1", leave, "network rm n1"}, ""},
		"no cache": {[]dockertest.Answer{inUse, {Args: "ps"}}, []string{"network rm n1", list}, "has active endpoints"},
		"another container": {append(dockertest.Having(t, cache), inUse),
			[]string{"network rm n1", list, "inspect --type=container c1", leave, "network rm n1"}, "has active endpoints"},
		"gone": {[]dockertest.Answer{{Args: "network rm", Stderr: "Error response from daemon: network n1 not found", Code: 1}}, []string{"network rm n1"}, ""},
	} {
		d := dockertest.Script(t, append(test.answers, dockertest.Answer{Args: ""})...)
		check(t, docker.RemoveNetwork(t.Context(), "n1"), test.says, "")
		if diff := cmp.Diff(test.calls, d.Calls(t)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}
