package learning

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// loader is a provider that counts the archives that it loads.
type loader struct {
	providers.Provider
	id     string // of its only cluster
	loaded int
}

func (*loader) Name() string { return "paper" }

func (l *loader) List(context.Context) ([]providers.Cluster, error) {
	return []providers.Cluster{{Name: "lab", Provider: "paper", ID: l.id}}, nil
}

func (l *loader) LoadImages(context.Context, providers.Ref, string) error {
	l.loaded++
	return nil
}

func (*loader) SaveImages(context.Context, []string, string) error { return nil }

// TestLoadImages checks that the images of the builtin pack are loaded once into each cluster, and again
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
	load := func(what, pack, id string, want int) {
		t.Helper()
		provider.id = id
		if err := l.LoadImages(t.Context(), pack, providers.Ref{Name: "lab", Provider: "paper", ID: id}, nil); err != nil || provider.loaded != want {
			t.Errorf("%s: loaded %d times, want %d: %v", what, provider.loaded, want, err)
		}
	}
	load("without an archive", BuiltinPack, "one", 0)
	write("v1", time.Hour)
	load("another pack", "mine", "one", 0)
	load("first", BuiltinPack, "one", 1)
	load("again", BuiltinPack, "one", 1)
	load("a new cluster of the name", BuiltinPack, "two", 2)
	write("v1", time.Minute)
	load("a new archive", BuiltinPack, "two", 3)
}
