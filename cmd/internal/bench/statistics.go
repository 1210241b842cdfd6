package bench

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	resamples  = 2000
	confidence = 0.95
)

// Ratio is the ratio of two medians, with the interval that contains it with a probability of
// Confidence, as far as the rounds can tell.
type Ratio struct {
	Value      float64 `json:"value"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// ratioOf returns the ratio of the medians of two sides. The interval is a percentile bootstrap.
// It draws whole rounds, because both sides of a round met the same load. The same rounds
// always yield the same interval.
func ratioOf(lab, peer []float64) Ratio {
	random := rand.New(rand.NewPCG(1, 2))
	drawn := make([]float64, resamples)
	a, b := make([]float64, len(lab)), make([]float64, len(peer))
	for i := range drawn {
		for j := range a {
			k := random.IntN(len(lab))
			a[j], b[j] = lab[k], peer[k]
		}
		drawn[i] = median(a) / median(b)
	}
	slices.Sort(drawn)
	tail := (1 - confidence) / 2
	return Ratio{
		Value: median(lab) / median(peer), Confidence: confidence,
		Low: drawn[int(tail*resamples)], High: drawn[int(math.Ceil((1-tail)*resamples))-1],
	}
}

// median returns the middle of values, of which there is at least one.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread returns the difference between the largest and the smallest value, in relation to the
// median.
func spread(values []float64) float64 {
	return (slices.Max(values) - slices.Min(values)) / median(values)
}
