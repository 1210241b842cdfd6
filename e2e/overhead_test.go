//go:build e2e && compare && unix

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	// roundsVariable names the environment variable with the number of clusters that each side creates.
	roundsVariable = "LAB_E2E_ROUNDS"

	// mostOverhead is the largest allowed ratio of the median times of lab and of the tool.
	mostOverhead = 1.05
)

// TestOverhead compares `lab up` with the tool's own command by `lab bench`: the same image, the same nodes, and the
// same wait until nodes and DNS are ready, in turns.
func TestOverhead(t *testing.T) {
	rounds := 5
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("%s=%q is not a number of rounds", roundsVariable, text)
		}
	}
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p := newUser(t, bed)
		p.env = append(p.env, "PATH="+filepath.Join(bed.dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
		var report struct {
			Items []struct {
				Lab, Peer struct{ Seconds float64 }
				Ratio     struct{ Value, Low, High float64 }
				Doubts    []string
			}
		}
		text := p.Must("bench", "--flavor", f.name, "--rounds", strconv.Itoa(rounds), "--output", "json")
		if err := json.Unmarshal([]byte(text), &report); err != nil || len(report.Items) != 1 {
			t.Fatalf("%v\n%s", err, text)
		}
		c := report.Items[0]
		t.Logf("lab %.1f s, %s %.1f s: ratio %.3f (%.3f to %.3f)", c.Lab.Seconds, f.name, c.Peer.Seconds, c.Ratio.Value, c.Ratio.Low, c.Ratio.High)
		for _, doubt := range c.Doubts {
			t.Logf("not believable: %s", doubt)
		}
		if c.Ratio.Low > mostOverhead {
			t.Errorf("lab takes at least %.3f of the time that %s takes, more than %.2f", c.Ratio.Low, f.name, mostOverhead)
		}
		for _, cluster := range strings.Fields(docker(t, "ps", "--all", "--quiet", "--filter=name=bench-")) {
			t.Errorf("the container %s is left", cluster)
		}
	})
}
