//go:build !windows

package docker_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestSave checks that an image given by its ID is saved by its tags, because an archive keeps
// only tags, and that an image without a tag is refused.
func TestSave(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "images.tar")
	const id = "sha256:4c1f2b"
	d := dockertest.Script(t,
		dockertest.Answer{Args: "image inspect", Stdout: "linux/amd64 " + id + " shop/web:v1 shop/web:v2\n"}, dockertest.Answer{Args: "save"})
	for image, want := range map[string]string{
		"shop/web:v1": "shop/web:v1", "shop/web": "shop/web", "4c1f": "shop/web:v1 shop/web:v2", id: "shop/web:v1 shop/web:v2",
		"shop/web@sha256:99": "shop/web:v1 shop/web:v2",
	} {
		if err := docker.Save(t.Context(), []string{image}, archive); err != nil {
			t.Error(err)
		}
		if call := "save --platform linux/amd64 --output " + archive + " " + want; !slices.Contains(d.Calls(t), call) {
			t.Errorf("%s: %q was not called: %q", image, call, d.Calls(t))
		}
	}
	d = dockertest.Script(t, dockertest.Answer{Args: "image inspect", Stdout: "linux/amd64 " + id + " \n"})
	err := docker.Save(t.Context(), []string{"4c1f2b"}, archive)
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), "docker tag 4c1f2b NAME:TAG") {
		t.Errorf("an image without a tag: %v, hint %q", err, fault.HintOf(err))
	}
	if calls := d.Calls(t); len(calls) != 1 {
		t.Errorf("calls: %q", calls)
	}
}
