package event_test

import (
	"math"
	"testing"

	"github.com/clusterlab-dev/lab/providers/event"
)

// TestSize checks that sizes have decimal units, as in the output of docker.
func TestSize(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1 << 20: "1.0 MB", 1_500_000: "1.5 MB", 24_400_000: "24 MB", 2 << 30: "2.1 GB",
		4e12: "4.0 TB", 999_960: "1.0 MB", 9_999_999: "10 MB", math.MaxInt64: "9223372 TB",
	} {
		if got := event.Size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}
