package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
)

// FuzzGet checks that Get never panics, and that a record that it accepts can be written and read
// again without a change.
func FuzzGet(f *testing.F) {
	f.Add(readRecord(f))
	f.Add("")
	f.Add(`{"apiVersion":"lab/v2"}`)
	f.Add(`{"apiVersion":"lab/v1alpha1","kind":"ClusterRecord","name":"lab","flavor":"k3d","phase":"creating","createdAt":"2026-01-01T00:00:00Z"}`)
	f.Fuzz(func(t *testing.T, data string) {
		dir := t.TempDir()
		writeRaw(t, dir, "lab", data)
		s := state.Open(dir)
		first, err := s.Get("lab")
		if err != nil {
			return
		}
		if err := s.Put(first); err != nil {
			t.Fatal(err)
		}
		second, err := s.Get("lab")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("written and read again (-first +second):\n%s", diff)
		}
	})
}
