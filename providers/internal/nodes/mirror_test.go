package nodes

import (
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

func TestHostsFile(t *testing.T) {
	t.Parallel()
	const asks = "  capabilities = [\"pull\", \"resolve\"]\n"
	corp, plain := Mirror{Address: "registry.corp/docker"}, Mirror{Address: "http://10.0.0.1:5000/"}
	cache := Mirror{Address: "http://lab-cache-1:5000/docker.io", DialTimeout: time.Second}
	const ofCorp = "\n[host.\"https://registry.corp/v2/docker\"]\n" + asks + "  override_path = true\n"
	for _, test := range []struct {
		host    string
		mirrors []Mirror
		want    string
	}{
		{"docker.io", []Mirror{corp}, "server = \"https://registry-1.docker.io\"\n" + ofCorp},
		{"quay.io", []Mirror{plain}, "server = \"https://quay.io\"\n\n[host.\"http://10.0.0.1:5000\"]\n" + asks},
		{"docker.io", []Mirror{cache, corp}, "server = \"https://registry-1.docker.io\"\n\n[host.\"http://lab-cache-1:5000/v2/docker.io\"]\n" + asks +
			"  override_path = true\n  dial_timeout = \"1s\"\n" + ofCorp},
	} {
		if got := hostsFile(test.host, test.mirrors); got != test.want {
			t.Errorf("%s by %s:\n%s\nwant\n%s", test.host, test.mirrors, got, test.want)
		}
	}
}

// TestMountedHosts checks that lab does not write into directories that the user mounts.
func TestMountedHosts(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]bool{
		"/etc/containerd/certs.d": true, "/etc/containerd/certs.d/docker.io": true, "/etc/containerd": true, "/etc/containerd/": true, "/": true,
		"/etc/containerd/certs.dir": false, "/etc/ssl": false, "/lib/modules": false,
	} {
		n := docker.Container{}
		n.HostConfig.Binds = []string{"/lib/modules:/lib/modules:ro", "/home/me:" + at + ":ro"}
		if got := mountsHosts(n); got != want {
			t.Errorf("%s: %t", at, got)
		}
	}
}
