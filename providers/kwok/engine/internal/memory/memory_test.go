package memory

import (
	"context"
	"slices"
	"testing"
)

// TestPace checks when the engine becomes busy and idle.
func TestPace(t *testing.T) {
	t.Parallel()
	const much, little = 2 * busyBytes, busyBytes / 10
	p := pace{idle: settling}
	var total uint64
	var got []change
	for _, n := range []uint64{
		little, little, little, little, // after the start
		much, much, little, little, much, // a pause within a burst is not its end
		little, little, little, little,
		much,
	} {
		total += n
		got = append(got, p.observe(total))
	}
	want := []change{
		toSame, toSame, toIdle, toSame,
		toBusy, toSame, toSame, toSame, toSame,
		toSame, toSame, toIdle, toSame,
		toBusy,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestFollow checks that Follow ends with its context, and that allocations are counted.
func TestFollow(t *testing.T) {
	before := allocated()
	if kept := make([]byte, 1<<20); allocated()-before < uint64(len(kept)) {
		t.Errorf("%d bytes were counted", allocated()-before)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Follow(ctx, Code{})
}
