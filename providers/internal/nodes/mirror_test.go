package nodes

import "testing"

func TestHostsFile(t *testing.T) {
	t.Parallel()
	const asks = "  capabilities = [\"pull\", \"resolve\"]\n"
	for _, test := range []struct{ host, mirror, want string }{
		{"docker.io", "registry.corp/docker", "server = \"https://registry-1.docker.io\"\n\n[host.\"https://registry.corp/v2/docker\"]\n" + asks + "  override_path = true\n"},
		{"quay.io", "http://10.0.0.1:5000/", "server = \"https://quay.io\"\n\n[host.\"http://10.0.0.1:5000\"]\n" + asks},
	} {
		if got := hostsFile(test.host, test.mirror); got != test.want {
			t.Errorf("%s by %s:\n%s\nwant\n%s", test.host, test.mirror, got, test.want)
		}
	}
}
