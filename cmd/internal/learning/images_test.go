package learning

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers"
)

// loader is a provider that counts the archives that it loads.
type loader struct {
	providers.Provider
	loaded int
}

func (*loader) Name() string { return "paper" }

func (*loader) List(context.Context) ([]providers.Cluster, error) {
	return []providers.Cluster{{Name: "lab", Provider: "paper", ID: "one"}}, nil
}

func (l *loader) LoadImages(context.Context, providers.Ref, string) error {
	l.loaded++
	return nil
}

func (*loader) SaveImages(context.Context, []string, string) error { return nil }

// TestLoadImages checks that the images of the builtin pack are loaded once into each cluster that runs pods, and again
// when the archive has changed.
func TestLoadImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	archive := filepath.Join(dir, "hello.tar")
	provider := &loader{}
	set, err := providers.NewSet(provider)
	if err != nil {
		t.Fatal(err)
	}
	l := &Learning{Images: archive, Inventory: &inventory.Inventory{State: state.Open(filepath.Join(dir, "state")), Set: set}}
	choice := Choice{Exercise: &exercises.Exercise{Pack: BuiltinPack}, Cluster: "lab"}
	if err := os.MkdirAll(l.Inventory.State.Dir("lab"), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(archive, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(archive, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	start := func(what string, c Choice, p place, want int) {
		t.Helper()
		p.ref = providers.Ref{Name: "lab", Provider: "paper", ID: "one"}
		if err := l.loadImages(t.Context(), c, p, nil); err != nil || provider.loaded != want {
			t.Errorf("%s: loaded %d times, want %d: %v", what, provider.loaded, want, err)
		}
	}
	one := place{runsPods: true, id: "one"}
	start("without an archive", choice, one, 0)
	write("v1", time.Hour)
	start("simulated pods", choice, place{id: "one"}, 0)
	start("another pack", Choice{Exercise: &exercises.Exercise{Pack: "mine"}, Cluster: "lab"}, one, 0)
	start("first", choice, one, 1)
	start("again", choice, one, 1)
	start("a new cluster of the name", choice, place{runsPods: true, id: "two"}, 2)
	write("v1", time.Minute)
	start("a new archive", choice, place{runsPods: true, id: "two"}, 3)
}
