package bench

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers"
)

var update = flag.Bool("update", false, "write the golden files")

func number(v float64) *float64 { return &v }

// roundOf returns a round with one step, which took half of the time.
func roundOf(seconds, busy float64) Round {
	return Round{
		Seconds: seconds, CPUSeconds: number(2 * seconds), PeakMemoryBytes: number(300e6), ReceivedBytes: nil, BusyBefore: number(busy),
		Steps: []Step{{"Starting", seconds / 4}, {"Starting", seconds / 4}, {"Waiting", seconds / 2}},
	}
}

func sideOf(name string, rounds ...Round) Side { return Side{Name: name, Rounds: rounds}.summarize() }

func spec() providers.Spec {
	return providers.Spec{Name: "x", Workers: 1, KubernetesVersion: "v1.37.2"}.WithDefaults()
}

// TestSummary checks the medians of a side, and that what was not measured is null, not 0.
func TestSummary(t *testing.T) {
	t.Parallel()
	got := sideOf("lab up", roundOf(4, 0), roundOf(8, 0), roundOf(6, 0))
	got.Rounds = nil
	want := Side{Name: "lab up", Seconds: 6, CPUSeconds: number(12), PeakMemoryBytes: number(300e6), Steps: []Step{{"Starting", 3}, {"Waiting", 3}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDoubts checks when a comparison is not believable.
func TestDoubts(t *testing.T) {
	t.Parallel()
	steady := func(busy float64) []Round {
		return []Round{roundOf(5, 0), roundOf(5.1, busy), roundOf(5, 0), roundOf(4.9, 0), roundOf(5, 0)}
	}
	for what, tt := range map[string]struct {
		lab, peer []Round
		doubt     string // "" if it is believable
	}{
		"a quiet machine":  {steady(0.1), steady(0.2), ""},
		"a busy machine":   {steady(0.1), steady(0.4), "other programs used 40 % of the processors before a round"},
		"few rounds":       {steady(0)[:2], steady(0)[:2], "2 of at least 5 rounds were measured"},
		"different rounds": {append(steady(0)[:4:4], roundOf(9, 0)), steady(0), "the times of lab up differ by 82 % of their median"},
	} {
		c := comparison("kwok", spec(), sideOf("lab up", tt.lab...), sideOf("kwokctl", tt.peer...))
		if got := strings.Join(c.Doubts, "; "); got != tt.doubt || c.Believable != (tt.doubt == "") {
			t.Errorf("%s: %q, believable %v; want %q", what, got, c.Believable, tt.doubt)
		}
	}
}

// TestTexts checks the formats for benchstat and for a page.
func TestTexts(t *testing.T) {
	t.Parallel()
	lab, peer := sideOf("lab up", roundOf(4, 0), roundOf(5, 0)), sideOf("kwokctl", roundOf(8, 0), roundOf(10, 0))
	peer.Version, peer.Commands = "kwokctl version v0.8.0", []string{"kwokctl create cluster --name=NAME"}
	r := Report{
		Meta: output.NewMeta("Benchmark"), Time: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), Lab: "v1.2.3", Against: AgainstTool, Methods: methods(),
		Machine: Machine{OS: "linux", Arch: "amd64", CPUs: 2, Model: "Some CPU", Kernel: "6.18.0", MemoryBytes: number(25e9)},
		Items:   []Comparison{comparison("kwok", spec(), lab, peer)},
	}
	for name, got := range map[string]string{"gobench.golden.txt": r.GoBench(), "page.golden.md": r.Markdown()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
