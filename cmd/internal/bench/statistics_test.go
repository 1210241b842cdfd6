package bench

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3}, {[]float64{5, 1, 3}, 3}, {[]float64{4, 1, 3, 2}, 2.5},
	} {
		before := tt.values[0]
		if got := median(tt.values); got != tt.want || tt.values[0] != before {
			t.Errorf("median(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

// TestRatio checks the ratio, that its interval contains it and grows with the spread, and that
// it is the same each time.
func TestRatio(t *testing.T) {
	t.Parallel()
	steady := ratioOf([]float64{5, 5.1, 4.9, 5, 5.05}, []float64{10, 10.1, 9.9, 10, 10.05})
	wild := ratioOf([]float64{5, 9, 3, 6, 4}, []float64{10, 8, 12, 10, 15})
	for name, r := range map[string]Ratio{"steady": steady, "wild": wild} {
		if math.Abs(r.Value-0.5) > 1e-9 || r.Low > r.Value || r.High < r.Value || r.Confidence != 0.95 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if steady.High-steady.Low >= wild.High-wild.Low {
		t.Errorf("the interval of steady rounds is %v, that of others %v", steady, wild)
	}
	if again := ratioOf([]float64{5, 9, 3, 6, 4}, []float64{10, 8, 12, 10, 15}); again != wild {
		t.Errorf("%v, and then %v", wild, again)
	}
	// Rounds are drawn in pairs: load that slows both sides does not widen the interval.
	if r := ratioOf([]float64{5, 50, 5, 50, 5}, []float64{10, 100, 10, 100, 10}); r.Low != 0.5 || r.High != 0.5 {
		t.Errorf("both sides of a round met the same load: %v", r)
	}
}
