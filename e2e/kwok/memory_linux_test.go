//go:build e2e

package kwok

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// allowed is the memory that a new cluster may take, in kB.
const allowed = 400_000

// TestMemory sums up what the processes of a new cluster take: their proportional
// share of what they share, so that none of it counts twice.
func TestMemory(t *testing.T) {
	p := newUser(t)
	name := p.up("--workers", "2")
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	// What the start took is given back within a second, or within a few on a busy machine.
	for range 20 {
		if <-tick.C; p.memory() <= allowed {
			break
		}
	}
	// A control plane goes on growing for a while, so the most of five seconds counts.
	most := 0
	for range 10 {
		<-tick.C
		most = max(most, p.memory())
	}
	t.Logf("it takes %d MB", most/1000)
	if most > allowed || most < 50_000 {
		t.Errorf("it takes %d kB, and at most %d are allowed", most, allowed)
	}
	p.Must("down", name)
}

// memory returns the sum of the proportional set sizes of the person's processes, in
// kB.
func (p *user) memory() (sum int) {
	p.T.Helper()
	for pid := range p.processes() {
		for line := range strings.Lines(read(p.T, fmt.Sprintf("/proc/%d/smaps_rollup", pid))) {
			size, ok := strings.CutPrefix(line, "Pss:")
			if !ok {
				continue
			}
			kB, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(size), "kB")))
			if err != nil {
				p.T.Fatalf("smaps_rollup: %q", line)
			}
			sum += kB
		}
	}
	return sum
}
