package bundles

import (
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
)

// TestPulledDigest checks that only the digest of the repository that a pod names counts: an image that was loaded into
// a node has none.
func TestPulledDigest(t *testing.T) {
	t.Parallel()
	d := "sha256:" + strings.Repeat("a", 64)
	for _, test := range []struct{ name, id, want string }{
		{"web:v1", "docker.io/library/web@" + d, d},
		{"web", "docker-pullable://web@" + d, d},
		{"registry.example:5000/web:v1", "registry.example:5000/web@" + d, d},
		{"web:v1@" + d, "docker.io/library/web@" + d, d},
		{"web:v1", d, ""},
		{"web:v1", "docker://" + d, ""},
		{"web:v1", "docker.io/library/import-2026@" + d, ""},
		{"web:v1", "docker.io/library/web@sha256:short", ""},
		{"Web", d, ""},
	} {
		if got := pulledDigest(probe.PodImage{Name: test.name, ID: test.id}); got.String() != test.want {
			t.Errorf("%s as %s: %q, want %q", test.name, test.id, got, test.want)
		}
	}
}
