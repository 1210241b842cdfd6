//go:build e2e && compare && unix

package e2e

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

const (
	// roundsVariable names the environment variable with the number of clusters that each side creates.
	roundsVariable = "LAB_E2E_ROUNDS"

	// mostOverhead is the largest allowed ratio of the median times of lab and of the tool.
	mostOverhead = 1.05
)

// TestOverhead compares `lab up` with the tool's own command: the same image, the same nodes, and the same wait until
// nodes and DNS are ready. lab and the tool alternate, so that other load on the machine affects both.
func TestOverhead(t *testing.T) {
	rounds := 5
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("%s=%q is not a number of rounds", roundsVariable, text)
		}
	}
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		var lab, tool []time.Duration
		for i := range rounds {
			first, second := func() { lab = append(lab, byLab(t, bed, f)) }, func() { tool = append(tool, byTool(t, bed, f)) }
			if i%2 == 1 { // the second one may profit from warm caches
				first, second = second, first
			}
			first()
			second()
			t.Logf("lab %s, %s %s", lab[i].Round(time.Millisecond), f.name, tool[i].Round(time.Millisecond))
		}
		ratio := float64(median(lab)) / float64(median(tool))
		t.Logf("medians of %d: ratio %.3f", rounds, ratio)
		if ratio > mostOverhead {
			t.Errorf("lab takes %.3f of the time that %s takes, more than %.2f", ratio, f.name, mostOverhead)
		}
	})
}

func byLab(t *testing.T, bed *bed, f flavor) time.Duration {
	t.Helper()
	p, name := newUser(t, bed), session.RandomName()
	up := []string{"up", name, "--flavor", f.name}
	if f.name == "k3d" {
		up = append(up, "--workers=1") // as the test bed's k3d clusters
	}
	began := time.Now()
	p.Must(up...)
	for _, args := range settled() {
		p.kubectl(args...)
	}
	took := time.Since(began)
	p.Must("down", name)
	return took
}

func byTool(t *testing.T, bed *bed, f flavor) time.Duration {
	t.Helper()
	c := bed.cluster(t, f.name)
	began := time.Now()
	c.must(t, c.create)
	for _, args := range settled() {
		c.kubectl(t, args...)
	}
	took := time.Since(began)
	c.remove(t)
	return took
}

// settled returns the arguments with which kubectl waits until a cluster is ready.
func settled() [][]string {
	return [][]string{
		{"wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"},
		{"--namespace=kube-system", "wait", "--for=create", "deployment/coredns", "--timeout=60s"},
		// The condition Available would be true without any replica, if one replica may be unavailable.
		{"--namespace=kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s"},
	}
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
