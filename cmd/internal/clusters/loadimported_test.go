package clusters_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
)

// engined is a flavor whose engine has only one image, engine:v1.
type engined struct {
	withNodes
	saved *[]string
}

func (engined) LacksImages(_ context.Context, images []string) ([]string, error) {
	return slices.DeleteFunc(slices.Clone(images), func(i string) bool { return i == "engine:v1" }), nil
}

func (e engined) SaveImages(_ context.Context, images []string, _ string) error {
	*e.saved = append(*e.saved, images...)
	return nil
}

func (engined) LoadImages(context.Context, providers.Ref, string) error { return nil }

// bundled has only one image, bundle:v1.
type bundled struct {
	everything
	loaded *[]string
}

func (b bundled) Load(_ context.Context, _ providers.Ref, images []string, _ event.Reporter) (lacks []string, err error) {
	for _, image := range images {
		if image == "bundle:v1" {
			*b.loaded = append(*b.loaded, image)
		} else {
			lacks = append(lacks, image)
		}
	}
	return lacks, nil
}

// TestLoadImported checks that images which the engine lacks come from bundles, and all others from the engine.
func TestLoadImported(t *testing.T) {
	t.Parallel()
	var saved, loaded []string
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return engined{withNodes{p}, &saved} })
	b.MustUp(t, "demo")
	images := clusters.Images{Inventory: b.Inventory, Imported: bundled{loaded: &loaded}}
	if err := images.Load(t.Context(), "demo", []string{"engine:v1", "bundle:v1", "other:v1"}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"engine:v1", "other:v1"}, {"bundle:v1"}}, [][]string{saved, loaded}); diff != "" {
		t.Errorf("from the engine, from bundles (-want +got):\n%s", diff)
	}
}
