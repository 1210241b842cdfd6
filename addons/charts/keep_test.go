package charts_test

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestKeep checks that a chart from a file is found as if it had been downloaded, and that it neither replaces what its
// source delivered nor can be anything but a chart.
func TestKeep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := addons.Chart{Repository: "https://a.example/charts", Name: "shop", Version: version}
	data := archive("a chart").Data
	if err := store(dir, true).Keep(c, data); err != nil {
		t.Fatal(err)
	}
	want(t, store(dir, true), c, "a chart")
	if err := store(dir, true).Keep(c, data); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := store(dir, true).Keep(c, archive("another chart").Data); !errors.Is(err, fault.ErrForeign) {
		t.Errorf("another chart: %v", err)
	}
	if err := store(t.TempDir(), true).Keep(c, []byte("no chart")); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("no chart: %v", err)
	}
}
