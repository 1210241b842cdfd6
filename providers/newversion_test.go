package providers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// imaged is a flavor that creates nodes from an image, or from images that only the tool knows if it is "".
type imaged struct {
	providers.Provider
	image string
}

func (i imaged) NodeImages(providers.Spec) ([]string, error) {
	if i.image == "" {
		return nil, errors.New("only the tool knows it")
	}
	return []string{i.image, "balancer:v1.0.0"}, nil
}

func (imaged) LacksImages(context.Context, []string) ([]string, error) { return nil, nil }
func (imaged) KeepImages(context.Context, string) error                { return nil }

// alone is a flavor without images.
type alone struct{ providers.Provider }

func (alone) Versions(context.Context) ([]string, error) { return []string{"v1.37.2"}, nil }

// TestNewVersion: the version of a new cluster is known from its image, its spec or its flavor, but not from images of the
// user.
func TestNewVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		flavor providers.Provider
		spec   providers.Spec
		want   string
	}{
		{"an image", imaged{image: "registry.corp:5000/node:v1.37.2@sha256:1"}, providers.Spec{}, "v1.37.2"},
		{"an image of k3s", imaged{image: "k3s:v1.37.2-k3s1"}, providers.Spec{KubernetesVersion: "v1.37.2"}, "v1.37.2+k3s1"},
		{"an image with another tag", imaged{image: "base:v0.0.50"}, providers.Spec{KubernetesVersion: "v1.36.1"}, "v1.36.1"},
		{"an image without a tag", imaged{image: "registry.corp:5000/node"}, providers.Spec{}, ""},
		{"an unknown image", imaged{}, providers.Spec{}, ""},
		{"a pre-release", imaged{image: "node:v1.38.0-beta.1"}, providers.Spec{}, ""},
		{"an image of the user", imaged{image: "own:v1.0.0"}, providers.Spec{NodeImage: "own:v1.0.0"}, ""},
		{"a configuration of the user", imaged{image: "own:v1.0.0"}, providers.Spec{Native: []byte("x")}, ""},
		{"the only version", alone{}, providers.Spec{}, "v1.37.2"},
		{"a requested version", alone{}, providers.Spec{KubernetesVersion: "v1.36.0"}, "v1.36.0"},
	} {
		if got := providers.NewVersion(t.Context(), c.flavor, c.spec); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
