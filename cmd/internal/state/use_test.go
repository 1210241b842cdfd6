package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// One process uses a cluster at a time, and others may work on it meanwhile.
func TestUseIsExclusive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := state.Open(dir)
	if s.Used("lab") {
		t.Error("used before the first Use")
	}
	release, err := s.Use("lab")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Use("lab"); !errors.Is(err, fault.ErrExists) {
		t.Errorf("a second use: %v, want ErrExists", err)
	}
	unlock, err := s.Lock(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if !s.Used("lab") || !s.Busy("lab") {
		t.Error("Used or Busy is false")
	}
	if err := s.Put(record("lab")); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete("lab"); err != nil {
		t.Fatal(err)
	}
	unlock()
	release()
	release()
	if _, err := os.Stat(filepath.Join(dir, "clusters", "lab")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
	if _, err := s.Use("No"); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
}

// Concurrent calls of Used do not see each other as users.
func TestUsedIsNoUse(t *testing.T) {
	t.Parallel()
	s := state.Open(t.TempDir())
	release, err := s.Use("lab")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(record("lab")); err != nil {
		t.Fatal(err)
	}
	release()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if s.Used("lab") {
					t.Error("used, without a user")
					return
				}
			}
		})
	}
	wg.Wait()
}

// An abandoned cluster has no record, and no process holds it.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := state.Open(dir)
	if got := s.Abandoned(); len(got) != 0 {
		t.Errorf("abandoned in an empty store: %q", got)
	}
	for _, name := range []string{"made", "busy", "used", "left", "Not-ours"} {
		if err := os.MkdirAll(filepath.Join(dir, "clusters", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(record("made")); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.Lock(t.Context(), "busy")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	release, err := s.Use("used")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if diff := cmp.Diff([]string{"left"}, s.Abandoned()); diff != "" {
		t.Errorf("abandoned (-want +got):\n%s", diff)
	}
}
