package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Run with: go test -run '^$' -bench . -benchtime 1x .

// BenchmarkCreate is from nothing to ready, with two workers.
func BenchmarkCreate(b *testing.B) {
	for b.Loop() {
		c := newCluster(b, 2)
		c.serve()
		b.StopTimer()
		b.ReportMetric(c.megabytes(), "MB")
		c.kill()
		b.StartTimer()
	}
}

// BenchmarkThousandNodes is a thousand workers, and a Deployment of five thousand
// pods on them.
func BenchmarkThousandNodes(b *testing.B) {
	for b.Loop() {
		c := newCluster(b, 1000)
		begun := time.Now()
		c.serve()
		b.ReportMetric(time.Since(begun).Seconds(), "s-to-ready")
		begun = time.Now()
		c.deploy("web", 5000)
		c.available(10*time.Minute, "web", 5000)
		b.ReportMetric(time.Since(begun).Seconds(), "s-to-5000-pods")
		b.ReportMetric(c.megabytes(), "MB")
		c.kill()
	}
}

// megabytes is what the engine holds of the machine's memory, its share of what
// it has in common with others included.
func (c *cluster) megabytes() float64 {
	c.t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			var kilobytes float64
			if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
				c.t.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	c.t.Fatal("no Pss in smaps_rollup")
	return 0
}
