//go:build e2e

package kwok

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// allowed is the largest memory use of a new cluster, in kB.
const allowed = 400_000

// TestMemory adds up the proportional set sizes of the processes of a new cluster, so that shared memory counts once.
func TestMemory(t *testing.T) {
	p := newUser(t)
	name := p.up("--workers", "2")
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	// The memory of the start is freed within a second, or a few on a busy machine.
	for range 20 {
		if <-tick.C; p.memory() <= allowed {
			break
		}
	}
	// A control plane keeps growing for a while, so the maximum of five seconds counts.
	most := 0
	for range 10 {
		<-tick.C
		most = max(most, p.memory())
	}
	t.Logf("the cluster uses %d MB", most/1000)
	if most > allowed || most < 50_000 {
		t.Errorf("the cluster uses %d kB, at most %d are allowed", most, allowed)
	}
	p.Must("down", name)
}

// memory returns the sum of the proportional set sizes of the user's processes, in kB.
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
