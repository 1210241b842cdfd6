//go:build e2e && unix

package faults

import "testing"

// TestPlan checks that 20 rounds contain each fault in each operation, and that there are 200 rounds.
func TestPlan(t *testing.T) {
	all, points := map[round]bool{}, map[int]bool{}
	for from := 0; from < 200; from += 20 {
		pairs := map[round]bool{}
		for n := from; n < from+20; n++ {
			r := plan(n)
			r.number = 0
			all[r], points[r.point] = true, true
			r.point = 0
			pairs[r] = true
		}
		if len(pairs) != 20 || len(points) != 10 {
			t.Errorf("rounds from %d on have %d pairs, and %d points", from, len(pairs), len(points))
		}
		clear(points)
	}
	if len(all) != 200 {
		t.Errorf("there are %d different rounds", len(all))
	}
}
