//go:build !windows

package kind

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestRemakeNetwork checks that the network has the options that kind uses.
func TestRemakeNetwork(t *testing.T) {
	const (
		create  = "network create --driver=bridge --opt=com.docker.network.bridge.enable_ip_masquerade=true --opt=com.docker.network.driver.mtu=1400 "
		overlap = "Error response from daemon: Pool overlaps with other one on this address space"
	)
	mtu := dockertest.Answer{Args: "network inspect bridge", Stdout: "1400\n"}
	created := dockertest.Answer{Args: "network create"}
	for name, test := range map[string]struct {
		answers []dockertest.Answer
		want    []string
	}{
		"at once": {nil, []string{create + "--ipv6 --subnet=fc00:f853:ccd:e793::/64 kind"}},
		"its addresses are taken": {[]dockertest.Answer{{Args: "network create", Stderr: overlap, Code: 1, Once: true}},
			[]string{create + "--ipv6 --subnet=fc00:f853:ccd:e793::/64 kind", create + "--ipv6 --subnet=fc00:8866:27d0:bd7e::/64 kind"}},
		"no IPv6": {[]dockertest.Answer{{Args: "network create", Stderr: "Error response from daemon: Cannot read IPv6 setup for bridge br-1", Code: 1, Once: true}},
			[]string{create + "--ipv6 --subnet=fc00:f853:ccd:e793::/64 kind", create + "kind"}},
		"another was faster": {[]dockertest.Answer{{Args: "network create", Stderr: "Error response from daemon: network with name kind already exists", Code: 1, Once: true}},
			[]string{create + "--ipv6 --subnet=fc00:f853:ccd:e793::/64 kind"}},
	} {
		d := dockertest.Script(t, slices.Concat([]dockertest.Answer{mtu}, test.answers, []dockertest.Answer{created})...)
		if err := remakeNetwork(t.Context(), "kind", nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := slices.DeleteFunc(d.Calls(t), func(call string) bool { return strings.HasPrefix(call, "network inspect") })
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
