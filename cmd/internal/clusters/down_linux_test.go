package clusters_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

// TestDownOnFullDisk: down deletes a cluster although its record cannot be written: that may free the
// disk.
func TestDownOnFullDisk(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	// The path of the record is just short enough to be read. That of the temporary file with which a
	// record is written is too long, so that writing fails as on a full disk.
	deep := b.Home
	for len(deep) < 3800 {
		deep = filepath.Join(deep, strings.Repeat("d", 200))
	}
	deep = filepath.Join(deep, strings.Repeat("d", 4094-len(deep)-len("//clusters/demo/cluster.json")))
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(b.Home, "short")
	if err := os.Symlink(deep, short); err != nil {
		t.Fatal(err)
	}
	b.State = state.Open(short)
	b.MustUp(t, "demo")
	b.State = state.Open(deep)
	r, err := b.State.Get("demo")
	if err != nil {
		t.Fatal(err)
	}
	labtest.WantIs(t, b.State.Put(r), fault.ErrUnavailable)
	if err := b.Down(t.Context(), "demo", nil); err != nil {
		t.Errorf("down: %v", err)
	}
	b.WantNoRecord(t, "demo")
	if got := b.Existing(t); len(got) > 0 {
		t.Errorf("left behind: %+v", got)
	}
}
