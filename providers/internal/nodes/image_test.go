//go:build !windows

package nodes

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestCheckOffers checks that the hint for a version that is not available names available
// ones, the nearest first.
func TestCheckOffers(t *testing.T) {
	absent := []dockertest.Answer{{Args: "info", Stdout: "28.0.0 2"}, {Args: "image inspect", Stderr: "Error: No such image: x", Code: 1}}
	for tags, want := range map[string]string{
		"v1.30.1\nlatest\nv1.37.2\nv1.36.0\nv1.37.2\nv1.20.0": "use a version that is on this machine: --kubernetes-version v1.36.0, --kubernetes-version v1.37.2, " +
			"--kubernetes-version v1.30.1; or pull the image where the registry is reachable: docker pull 127.0.0.1:1/node:v1.36.9",
		"": "pull the image where the registry is reachable: docker pull 127.0.0.1:1/node:v1.36.9; or use an image that is on this machine: export LAB_IMAGE=IMAGE",
	} {
		dockertest.Script(t, append(absent, dockertest.Answer{Args: "image ls --format {{.Tag}} 127.0.0.1:1/node", Stdout: tags})...)
		if hint := fault.HintOf(Check(t.Context(), providers.Spec{}, "127.0.0.1:1/node:v1.36.9@sha256:0", "LAB_IMAGE")); hint != want {
			t.Errorf("%q\n%q, want\n%q", tags, hint, want)
		}
	}
}

// TestCheckOffline checks that an offline check does not ask the registry of a missing image.
func TestCheckOffline(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: "28.0.0 2"}, dockertest.Answer{Args: "image inspect", Stderr: "Error: No such image: x", Code: 1})
	err := Check(t.Context(), providers.Spec{Offline: true}, "127.0.0.1:1/node:v1.36.9", "LAB_IMAGE")
	if remote, ok := errors.AsType[*providers.NotLocal](err); !ok || remote.Image != "127.0.0.1:1/node:v1.36.9" {
		t.Errorf("%v, want NotLocal", err)
	}
}

// TestPinnedByDigest checks that the error names the local image that docker load stored
// without its digest.
func TestPinnedByDigest(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: "28.0.0 2"},
		dockertest.Answer{Args: "image inspect --format {{.Id}} 127.0.0.1:1/node:v1.37.0@", Stderr: "Error: No such image: x", Code: 1},
		dockertest.Answer{Args: "image inspect", Stdout: "sha256:1"}, dockertest.Answer{Args: "image ls", Stdout: "v1.37.0"})
	err := Check(t.Context(), providers.Spec{}, "127.0.0.1:1/node:v1.37.0@sha256:0", "LAB_IMAGE")
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/node:v1.37.0 is on this machine with another digest") ||
		fault.HintOf(err) != "if you trust that image, use it: --image 127.0.0.1:1/node:v1.37.0" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

func TestPullOffers(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: "28.0.0 2"},
		dockertest.Answer{Args: "image inspect", Stderr: "Error: No such image: x", Code: 1}, dockertest.Answer{Args: "pull", Stderr: "manifest for a/node:v1.99.0 not found: manifest unknown", Code: 1},
		dockertest.Answer{Args: "image ls", Stdout: "v1.37.0"})
	err := pull(t.Context(), Images("LAB_IMAGE", "a/node:v1.99.0"), nil, nil)
	if hint := fault.HintOf(err); !strings.HasPrefix(hint, "use a version that is on this machine: --kubernetes-version v1.37.0") {
		t.Errorf("%v (hint %q)", err, hint)
	}
}

// TestAdapt checks that a step reports little memory or cgroup v1, and that the configuration
// changes for cgroup v1 alone.
func TestAdapt(t *testing.T) {
	for info, want := range map[string]string{
		"28.0.0 2 0": "", "28.0.0 2 1073741824": "Low memory", "28.0.0 2 2147483648": "", "28.0.0 1 0": "Allowing cgroup v1",
	} {
		dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: info})
		var steps []string
		changed := false
		err := Adapt(t.Context(), KubeadmMemory, func() bool { changed = true; return true }, func(e event.Event) {
			if e.State == event.Started {
				steps = append(steps, e.Step)
			}
		})
		if said := strings.Join(steps, "\n"); err != nil || !strings.HasPrefix(said, want) || (said == "") != (want == "") || changed != strings.Contains(want, "cgroup") {
			t.Errorf("%s: %q, changed: %t, %v; want %q", info, said, changed, err, want)
		}
	}
}
