package clusters

import (
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
)

// TestDeadline: a time to live is over if one of the clocks says so: the wall clock may be set back, and
// the monotonic clock may stand still while the machine sleeps.
func TestDeadline(t *testing.T) {
	t.Parallel()
	start := time.Now()
	end := start.Add(time.Hour).Round(0)
	later := end.Add(time.Hour)
	for what, tt := range map[string]struct {
		now  time.Time
		ends *time.Time
		want bool
	}{
		"before its time":      {start.Add(59 * time.Minute), &end, false},
		"at its time":          {start.Add(time.Hour), &end, true},
		"it slept":             {end.Add(time.Second), &end, true}, // Round(0) leaves only the reading of the wall clock
		"it has more time now": {start.Add(time.Hour), &later, false},
		"it lives for ever":    {start.Add(time.Hour), nil, false},
	} {
		now := start
		d := &deadline{now: func() time.Time { return now }}
		if d.over(state.Record{ExpiresAt: &end}) {
			t.Fatal("over at once")
		}
		now = tt.now
		if got := d.over(state.Record{ExpiresAt: tt.ends}); got != tt.want {
			t.Errorf("%s: over is %v, want %v", what, got, tt.want)
		}
	}
}

// TestDeadlineClockSetBack: then only the monotonic reading advances.
func TestDeadlineClockSetBack(t *testing.T) {
	t.Parallel()
	start := time.Now()
	end := start.Add(50 * time.Millisecond).Round(0)
	d := &deadline{now: time.Now}
	r := state.Record{ExpiresAt: &end}
	d.over(r)
	d.wall = d.wall.Add(time.Hour) // this clock is an hour behind the one that wrote the record
	later := d.wall
	r.ExpiresAt = &later
	limit := time.After(10 * time.Second)
	for !d.over(r) {
		select {
		case <-limit:
			t.Fatal("never over")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
