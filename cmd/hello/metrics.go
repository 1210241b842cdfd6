package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// metrics counts requests. It is safe for concurrent use.
type metrics struct {
	version string

	mu    sync.Mutex
	codes map[int]int
	below map[time.Duration]int // how many requests took at most a bound
	sum   time.Duration
	count int
}

// bounds returns the upper bounds of the histogram's buckets.
func bounds() []time.Duration {
	var all []time.Duration
	for _, ms := range []int{5, 10, 25, 50, 100, 250, 500, 1000, 2500} {
		all = append(all, time.Duration(ms)*time.Millisecond)
	}
	return all
}

// observe counts a request.
func (m *metrics) observe(code int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.codes == nil {
		m.codes, m.below = map[int]int{}, map[time.Duration]int{}
	}
	m.codes[code]++
	for _, bound := range bounds() {
		if took <= bound {
			m.below[bound]++
		}
	}
	m.sum += took
	m.count++
}

// write writes the metrics in the text format of Prometheus.
func (m *metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintln(w, "# HELP hello_build_info The version, as a label.")
	fmt.Fprintln(w, "# TYPE hello_build_info gauge")
	fmt.Fprintf(w, "hello_build_info{version=%q} 1\n", m.version)
	fmt.Fprintln(w, "# HELP hello_requests_total Answered requests, without probes and scrapes.")
	fmt.Fprintln(w, "# TYPE hello_requests_total counter")
	for _, code := range slices.Sorted(maps.Keys(m.codes)) {
		fmt.Fprintf(w, "hello_requests_total{version=%q,code=\"%d\"} %d\n", m.version, code, m.codes[code])
	}
	fmt.Fprintln(w, "# HELP hello_request_duration_seconds The duration of these requests.")
	fmt.Fprintln(w, "# TYPE hello_request_duration_seconds histogram")
	for _, bound := range bounds() {
		fmt.Fprintf(w, "hello_request_duration_seconds_bucket{version=%q,le=\"%g\"} %d\n", m.version, bound.Seconds(), m.below[bound])
	}
	fmt.Fprintf(w, "hello_request_duration_seconds_bucket{version=%q,le=\"+Inf\"} %d\n", m.version, m.count)
	fmt.Fprintf(w, "hello_request_duration_seconds_sum{version=%q} %g\n", m.version, m.sum.Seconds())
	fmt.Fprintf(w, "hello_request_duration_seconds_count{version=%q} %d\n", m.version, m.count)
}
